// The visitor's part of the commission, if any is theirs: by month, with a statement, and where
// it goes on to.
satmachine.components['sat-my-partner'] = {
  template: '#sat-my-partner',
  data() {
    return {
      fmt: satmachine.format,
      my: satmachine.my.state,
      store: satmachine.store,
      partner: null,
      shown: 6,
      showKeys: false
    }
  },
  computed: {
    choices() {
      return this.partner.partners.map(each => ({
        value: each.id,
        label: `${each.name} · ${this.fmt.state(each.status).label}`
      }))
    },
    where() {
      const names = this.partner.device_names
      return names.length
        ? names.join(', ')
        : satmachine.t('partners.everywhere')
    },
    months() {
      return this.partner.months.slice(0, this.shown).map(each => ({
        ...each,
        label: this.fmt.month(each.month)
      }))
    }
  },
  watch: {
    'store.changes'() {
      if (this.partner) this.load()
    },
    'my.registration': {
      immediate: true,
      handler(registration) {
        if (registration?.partner) this.load()
      }
    }
  },
  methods: {
    async load(id) {
      const chosen = id || this.partner?.id
      const query = chosen
        ? `?${new URLSearchParams({partner_id: chosen})}`
        : ''
      try {
        this.partner = await satmachine.call('GET', `/me/partner${query}`)
      } catch (error) {
        console.warn('partner', satmachine.sentence(error))
      }
    },
    saveStatement(month) {
      const [year, number] = month.split('-').map(Number)
      const last = new Date(Date.UTC(year, number, 0)).getUTCDate()
      const query = new URLSearchParams({
        partner_id: this.partner.id,
        from: `${month}-01`,
        to: `${month}-${String(last).padStart(2, '0')}`,
        format: 'csv'
      })
      return satmachine.download(`/me/partner/statement?${query}`)
    }
  }
}
