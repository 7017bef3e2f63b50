// The visitor's cash: how to hand it in, and what was handed in or taken out.
satmachine.components['sat-my-deposits'] = {
  template: '#sat-my-deposits',
  mixins: [satmachine.reads('deposits', () => satmachine.my.path('/deposits'))],
  data() {
    return {
      fmt: satmachine.format,
      my: satmachine.my.state,
      store: satmachine.store,
      shown: 5
    }
  },
  computed: {
    rows() {
      return (this.deposits || []).slice(0, this.shown)
    }
  }
}
