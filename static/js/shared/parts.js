// Small pieces that several tabs and dialogs show.
satmachine.components['sat-state'] = {
  template: '#sat-state',
  props: {name: String},
  computed: {
    state() {
      return satmachine.format.state(this.name)
    }
  }
}

// Whether a sale's cash went out of the machine or into it.
satmachine.components['sat-direction'] = {
  template: '#sat-direction',
  props: {name: String},
  data() {
    return {fmt: satmachine.format}
  }
}

// An id or a hash: short, whole on hover, copied by its button.
satmachine.components['sat-id'] = {
  template: '#sat-id',
  props: {value: String, what: {type: String, default: 'id'}},
  data() {
    return {fmt: satmachine.format}
  }
}

// One named value in a line, with a remark under the name.
satmachine.components['sat-fact'] = {
  template: '#sat-fact',
  props: {
    name: String,
    caption: String,
    value: [String, Number],
    title: String,
    color: String
  },
  data() {
    return {fmt: satmachine.format}
  }
}

satmachine.components['sat-balances'] = {
  template: '#sat-balances',
  props: {balances: {type: Array, default: () => []}},
  data() {
    return {fmt: satmachine.format}
  },
  methods: {
    hasPending(balance) {
      return satmachine.format.isAmount(balance.pending_deposits || '')
    }
  }
}

// A tile of figures: `figures` is a list of what sat-figure takes; null while `loading`.
// What is no figure stands in its slot.
satmachine.components['sat-tile'] = {
  template: '#sat-tile',
  props: {
    icon: String,
    title: String,
    figures: {type: Array, default: null},
    loading: Boolean,
    size: {type: String, default: 'h6'}
  }
}

// One figure: its value under its name, with a state or a remark beside it, lines above and below a bar
// that shows the `part` (0 to 1) that is left or done. Lines: see sat-captions.
satmachine.components['sat-figure'] = {
  template: '#sat-figure',
  props: {
    name: String,
    value: String,
    tone: String,
    size: String,
    title: String,
    state: String,
    remark: String,
    remarkTone: String,
    above: {type: Array, default: () => []},
    part: {type: Number, default: null},
    partName: String,
    partColor: {type: String, default: 'primary'},
    lines: {type: Array, default: () => []}
  },
  data() {
    return {fmt: satmachine.format}
  }
}

// How one sale's sats became commission and base, with its own numbers.
satmachine.components['sat-split'] = {
  template: '#sat-split',
  props: {transaction: Object},
  data() {
    return {fmt: satmachine.format}
  },
  computed: {
    known() {
      return this.transaction.effective_commission !== null
    },
    hasDiscount() {
      return satmachine.format.isAmount(this.transaction.discount || '')
    },
    lines() {
      const tx = this.transaction
      const {sats, percent, shift} = satmachine.format
      const effective = tx.effective_commission
      const plain = shift(effective, 0)
      const total = sats(tx.crypto_amount_sats)
      const base = sats(tx.base_amount_sats)
      const lines = []
      if (this.hasDiscount) {
        lines.push({
          name: satmachine.t('parts.effective_commission'),
          formula:
            `${percent(tx.commission_percentage)} × ` +
            `(100 − ${shift(tx.discount, 0)}) / 100`,
          result: percent(effective)
        })
      } else {
        lines.push({
          name: satmachine.t('parts.effective_commission'),
          formula: satmachine.t('parts.no_discount'),
          result: percent(effective)
        })
      }
      const isCashIn = tx.direction === 'cash_in'
      lines.push({
        name: satmachine.t('parts.base'),
        formula: isCashIn
          ? satmachine.t('parts.what_the_customer_was_sent')
          : this.baseFormula(total, plain),
        result: satmachine.format.amount(tx.base_amount_sats)
      })
      lines.push({
        name: satmachine.t('parts.commission'),
        formula: isCashIn
          ? this.cashInFormula(base, plain)
          : `${total} − ${base}`,
        result: satmachine.format.amount(tx.commission_amount_sats)
      })
      return lines
    }
  },
  methods: {
    baseFormula(total, effective) {
      const tx = this.transaction
      if (effective.startsWith('-'))
        return satmachine.t('parts.negative_commission_all_is_base')
      if (tx.commission_method !== 'margin') {
        return `${total} / (1 + ${effective})`
      }
      const fee = tx.fixed_fee || '0'
      const margin = `${total} × (1 − ${effective})`
      return satmachine.format.isAmount(fee)
        ? `${margin} × ${tx.fiat_amount} / (${tx.fiat_amount} + ${fee})`
        : margin
    },
    // A cash-in's commission comes on top of what the customer was sent.
    cashInFormula(base, effective) {
      const tx = this.transaction
      const {fiat, isAmount, shift} = satmachine.format
      if (effective.startsWith('-') && !tx.commission_amount_sats)
        return satmachine.t('parts.negative_commission_none')
      const rate = effective.startsWith('-') ? `(${effective})` : effective
      if (!isAmount(tx.fixed_fee || '')) return `${base} × ${rate}`
      const price = tx.lamassu_facts?.raw_ticker_price || ''
      const [fee, market] = [tx.fixed_fee, price].map(text =>
        fiat(shift(text, 0), tx.fiat_code)
      )
      return `${base} × ${rate} + ${fee} / ${market}`
    }
  }
}

// What a table shows instead of rows: a failure, no match, or the next step.
satmachine.components['sat-empty'] = {
  template: '#sat-empty',
  props: {
    icon: String,
    title: String,
    text: String,
    // What to do next: {icon, label, go}
    action: Object,
    failure: String,
    filtered: Boolean
  },
  data() {
    return {fmt: satmachine.format}
  },
  emits: ['retry', 'clear']
}

// Why the last attempt failed, if it did.
satmachine.components['sat-failure'] = {
  template: '#sat-failure',
  props: {text: String}
}

// The button below a list that shows its next rows.
satmachine.components['sat-more'] = {
  template: '#sat-more',
  inheritAttrs: false
}

// The sums of a list that is no table: what the server has for all its rows. `fiat` and `sats`
// name the fields; one row needs no sum.
satmachine.components['sat-totals'] = {
  template: '#sat-totals',
  props: {path: String, query: String, fiat: String, sats: String},
  data() {
    return {store: satmachine.store, totals: null}
  },
  computed: {
    lines() {
      const {satsOf, fiatOf, confirmed} = satmachine.table
      if (!this.totals || this.totals.rows < 2) return []
      const lines = (of, name) => (name ? confirmed(of, name)(this.totals) : [])
      return [lines(satsOf, this.sats), lines(fiatOf, this.fiat)].flat()
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
      const {path, query} = this
      try {
        this.totals = await satmachine.table.sums(path)({query})
      } catch (error) {
        console.warn('totals', satmachine.sentence(error))
      }
    }
  }
}
