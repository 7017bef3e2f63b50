// How the visitor takes part: mode, wallet, and when sales are looked for next.
satmachine.components['sat-my-part'] = {
  template: '#sat-my-part',
  emits: ['settings'],
  data() {
    return {fmt: satmachine.format, my: satmachine.my.state}
  },
  computed: {
    me() {
      return this.my.me
    },
    wallet() {
      return this.fmt.walletPage(this.me.wallet_id)
    },
    nextPoll() {
      return this.me.next_poll
        ? this.fmt.ahead(this.me.next_poll)
        : satmachine.t('my_part.by_hand')
    },
    smallest() {
      const {payout_min_sats: own, smallest_payout_sats: theirs} = this.me
      return Math.max(own || 0, theirs || 0)
    }
  }
}
