// A manual poll, from the press of the button to its result in words. While it
// runs, the server sends its counts over LNbits' websocket.
satmachine.poll = async () => {
  const {store} = satmachine
  if (store.poll?.busy) {
    store.poll.open = true
    return
  }
  store.poll = {
    open: true,
    busy: true,
    stage: 'reading',
    found: 0,
    new: 0,
    planned: 0,
    to_pay: 0,
    paid: 0,
    result: null,
    error: null
  }
  const {poll} = store
  let socket
  try {
    const {channel} = await satmachine.call('GET', '/polls/channel')
    socket = satmachine.pollSocket(channel, counts => {
      if (poll.busy) Object.assign(poll, counts)
    })
    await socket.ready
    poll.result = await satmachine.call('POST', '/manual-poll')
    Object.assign(poll, satmachine.pollCounts(poll, poll.result))
  } catch (error) {
    poll.error = satmachine.sentence(error)
  } finally {
    poll.busy = false
    socket?.close()
    satmachine.changed()
  }
}

// The counts at the end: the answer may be here before the last message is.
satmachine.pollCounts = (poll, result) => ({
  stage: 'paying',
  found: result.found,
  new: result.new,
  planned: result.planned,
  paid: result.confirmed_payments,
  to_pay: Math.max(
    poll.to_pay,
    result.confirmed_payments + result.pending_payments + result.failed_payments
  )
})

// Listens to the poll's progress; a poll works as well without it.
satmachine.pollSocket = (channel, onCounts) => {
  const url = new URL(`/api/v1/ws/${channel}`, window.location)
  url.protocol = url.protocol.replace('http', 'ws')
  const socket = new WebSocket(url)
  socket.onmessage = message => {
    const counts = JSON.parse(message.data)
    if (['reading', 'planning', 'paying'].includes(counts.stage)) {
      const names = ['stage', 'found', 'new', 'planned', 'to_pay', 'paid']
      onCounts(Object.fromEntries(names.map(name => [name, counts[name]])))
    }
  }
  const ready = new Promise(resolve => {
    socket.onopen = resolve
    socket.onerror = resolve
    setTimeout(resolve, 1500)
  })
  return {ready, close: () => socket.close()}
}

satmachine.components['sat-poll-dialog'] = {
  template: '#sat-poll-dialog',
  emits: ['go'],
  data() {
    return {fmt: satmachine.format, store: satmachine.store}
  },
  computed: {
    poll() {
      return this.store.poll
    },
    isOpen: {
      get() {
        return Boolean(this.poll?.open)
      },
      set(open) {
        if (!this.poll) return
        this.poll.open = open
        if (!open && !this.poll.busy) this.store.poll = null
      }
    },
    result() {
      return this.poll.result
    },
    hasFailed() {
      return Boolean(this.poll.error) || this.result?.success === false
    },
    // Reading is a fifth of the bar, planning two more, paying the rest.
    progress() {
      const {busy, stage, planned, to_pay: toPay, paid, new: fresh} = this.poll
      if (!busy) return 1
      if (stage === 'planning') return 0.2 + 0.4 * (fresh ? planned / fresh : 1)
      return stage === 'paying' ? 0.6 + 0.4 * (toPay ? paid / toPay : 1) : 0.05
    },
    lines() {
      const {t} = satmachine
      const {stage, found, new: fresh, planned, to_pay: toPay, paid} = this.poll
      const {sats} = this.fmt
      const at = ['reading', 'planning', 'paying'].indexOf(stage)
      return [
        {
          name: t('polling.read'),
          value:
            at > 0
              ? t('polling.read_of', {found: sats(found), new: sats(fresh)})
              : '…'
        },
        {name: t('polling.planned'), value: at > 0 ? sats(planned) : '…'},
        {
          name: t('polling.paid'),
          value:
            at > 1
              ? t('polling.paid_of', {n: sats(paid), all: sats(toPay)})
              : '…'
        }
      ]
    },
    title() {
      const {t} = satmachine
      if (this.poll.busy) return t('polling.title')
      if (this.hasFailed) return t('polling.failed')
      if (this.result.failed_payments) return t('polling.done_failures')
      return this.result.new || this.result.reviews
        ? t('polling.done')
        : t('polling.nothing_new')
    },
    // What is not paid though its time has come; by a schedule, or below the smallest payout, it
    // waits for nobody.
    stuck() {
      const {config} = this.store
      const each = (config?.payout_schedule || 'each_poll') === 'each_poll'
      return each && !config?.payout_min_sats
        ? this.result?.pending_payments
        : 0
    },
    look() {
      if (this.hasFailed) return {icon: 'error', color: 'negative'}
      const {failed_payments: failed} = this.result
      return failed || this.stuck || this.result.problem
        ? {icon: 'warning', color: 'warning'}
        : {icon: 'check_circle', color: 'positive'}
    },
    // What happened, in words.
    sentences() {
      const {result} = this
      if (!result) return []
      const {t} = satmachine
      const {count, sats} = this.fmt
      const list = [
        t('polling.found', {
          sales: count(result.found, 'sale'),
          new: sats(result.new),
          planned: sats(result.planned)
        }),
        result.confirmed_payments
          ? t('polling.made', {
              payments: count(result.confirmed_payments, 'payment'),
              sats: sats(result.distributed_sats)
            })
          : t('polling.none_made')
      ]
      const more = (number, key, what) => {
        if (number) list.push(t(key, {what: count(number, what)}))
      }
      more(result.reviews, 'polling.reviews', 'sale')
      const scheduled = result.pending_payments - this.stuck
      more(this.stuck, 'polling.pending', 'payment')
      more(scheduled, 'polling.scheduled', 'payment')
      more(result.failed_payments, 'polling.failures', 'payment')
      if (result.problem) list.push(this.fmt.told(result.told, result.problem))
      return list
    },
    // Where what is left over is dealt with.
    next() {
      const {result} = this
      if (result?.reviews) return 'needs_review'
      return result?.failed_payments || this.stuck ? 'planned' : null
    }
  },
  methods: {
    goNext() {
      const status = this.next
      this.isOpen = false
      this.$emit('go', 'transactions', status)
    }
  }
}
