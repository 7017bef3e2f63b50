// Own keys are a client's, the one that is shown, or with an id a partner's.
satmachine.keysOf = partner => {
  const base = partner ? '/me/partner' : '/me'
  const who = partner
    ? {partner_id: partner}
    : {client_id: satmachine.my.state.me.id}
  return {
    who,
    list: `${base}/forwards`,
    path: (suffix = '') =>
      `${base}/forward${suffix}?${new URLSearchParams(who)}`
  }
}

// Own keys: where the visitor's sats go on to, what waits and what was sent.
satmachine.components['sat-my-keys'] = {
  template: '#sat-my-keys',
  props: {partner: {type: String, default: null}},
  emits: ['set'],
  data() {
    return {
      fmt: satmachine.format,
      store: satmachine.store,
      keys: null
    }
  },
  computed: {
    title() {
      return this.partner
        ? satmachine.t('my_keys.partner_title')
        : satmachine.t('my_keys.title')
    },
    table() {
      const {t} = satmachine
      const {fmt} = this
      const {list, who} = satmachine.keysOf(this.partner)
      return {
        path: `${list}/paginated`,
        title: t('my_keys.sent_on'),
        fixed: who,
        period: {name: 'created_at', label: t('transactions.period')},
        columns: satmachine.forwardColumns(),
        totals: satmachine.table.sums(list),
        actions: forward => satmachine.copyHash(forward),
        actionsLabel: t('my_payments.payment'),
        card: forward => ({
          title: fmt.amount(forward.amount_sats),
          lines: [
            fmt.time(forward.created_at),
            fmt.told(forward.told, forward.error)
          ]
        }),
        empty: {
          icon: 'vpn_key',
          title: t('my_keys.none'),
          text: t('my_keys.none_text')
        }
      }
    }
  },
  watch: {
    'store.changes'() {
      this.load()
    }
  },
  created() {
    this.load()
  },
  methods: {
    async load() {
      try {
        this.keys = await satmachine.call(
          'GET',
          satmachine.keysOf(this.partner).path()
        )
      } catch (error) {
        satmachine.notifyError(error)
      }
    }
  }
}

// Forwards as columns, for their owner and the operator alike.
satmachine.forwardColumns = (...first) => {
  const {t, format: fmt} = satmachine
  const kinds = {test: t('my_keys.test'), forward: null}
  return [
    {
      name: 'created_at',
      label: t('my_keys.begun'),
      kind: 'time',
      sortable: true,
      caption: forward => kinds[forward.kind]
    },
    ...first,
    {
      name: 'amount_sats',
      label: t('my_payments.sats'),
      kind: 'sats',
      sortable: true,
      caption: forward =>
        forward.fee_sats
          ? t('my_keys.fee_of', {sats: fmt.sats(forward.fee_sats)})
          : null,
      total: sums => {
        const {satsOf, confirmed} = satmachine.table
        const fees = satsOf('fee_sats')(sums)
        return [
          ...[confirmed(satsOf, 'amount_sats')(sums)].flat(),
          ...(fees ? [t('my_keys.fee_of', {sats: fees})] : [])
        ]
      }
    },
    {
      name: 'destination',
      label: t('my_keys.destination'),
      width: 180,
      value: forward => forward.destination
    },
    {
      name: 'status',
      label: t('my_payments.status'),
      kind: 'state',
      sortable: true,
      wrap: true,
      title: forward => fmt.exactTime(forward.confirmed_at),
      caption: forward => fmt.told(forward.told, forward.error)
    }
  ]
}

satmachine.copyHash = ({payment_hash: hash}) =>
  hash
    ? [
        {
          icon: 'content_copy',
          label: satmachine.t('parts.copy', {
            what: satmachine.t('payments.payment_hash')
          }),
          tip: hash,
          go: () => LNbits.utils.copyText(hash)
        }
      ]
    : []

// Setting it: the destination is asked, tested with its smallest amount, and saved.
satmachine.components['sat-my-keys-dialog'] = {
  template: '#sat-my-keys-dialog',
  mixins: [satmachine.attempts],
  props: {modelValue: Boolean, partner: {type: String, default: null}},
  emits: ['update:modelValue'],
  data() {
    return {
      fmt: satmachine.format,
      form: null,
      asked: null,
      isSet: false,
      tested: false
    }
  },
  computed: {
    title() {
      return this.partner
        ? satmachine.t('my_keys.partner_title')
        : satmachine.t('my_keys.title')
    },
    last() {
      return this.partner
        ? satmachine.t('my_keys.last_part')
        : satmachine.t('my_keys.last')
    },
    problem() {
      const {t} = satmachine
      if (!this.form) return null
      if (!this.form.destination.trim()) return t('my_keys.need_destination')
      if (this.asked && !/^[1-9]\d*$/.test(this.form.threshold.trim())) {
        return t('my_keys.need_threshold')
      }
      return null
    }
  },
  watch: {
    modelValue(open) {
      if (open) this.load()
    },
    'form.destination'() {
      this.asked = null
      this.tested = false
    }
  },
  methods: {
    path(suffix) {
      return satmachine.keysOf(this.partner).path(suffix)
    },
    // Nothing can be typed before it has come: it would be overwritten.
    load() {
      this.form = null
      this.asked = null
      return this.attempt(async () => {
        const keys = await satmachine.call('GET', this.path())
        this.isSet = Boolean(keys.destination)
        this.form = {
          destination: keys.destination || '',
          threshold: keys.threshold_sats ? String(keys.threshold_sats) : '',
          last: keys.last_forward
        }
      })
    },
    close() {
      this.$emit('update:modelValue', false)
    },
    submit() {
      return this.asked ? this.save() : this.ask()
    },
    ask() {
      return this.attempt(async () => {
        this.asked = await satmachine.call('POST', this.path('/ask'), {
          destination: this.form.destination.trim()
        })
        if (!this.form.threshold) {
          this.form.threshold = String(this.asked.suggested_threshold_sats)
        }
      })
    },
    test() {
      return this.attempt(async () => {
        await satmachine.call('POST', this.path('/test'), {
          destination: this.form.destination.trim()
        })
        this.tested = true
        satmachine.store.changes += 1
      })
    },
    save() {
      return this.put({
        destination: this.form.destination.trim(),
        threshold_sats: Number(this.form.threshold),
        last_forward: this.form.last
      })
    },
    off() {
      return this.put({destination: null, threshold_sats: null})
    },
    put(data) {
      return this.attempt(async () => {
        await satmachine.call('PUT', this.path(), data)
        satmachine.store.changes += 1
        satmachine.notifySuccess(satmachine.t('my_settings.saved'))
        this.close()
      })
    }
  }
}
