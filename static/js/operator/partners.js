// The Partners tab: who else the commission belongs to, and what they have been paid.
satmachine.components['sat-partners'] = {
  template: '#sat-partners',
  mixins: [satmachine.reads('partners', () => '/partners', [])],
  data() {
    return {
      fmt: satmachine.format,
      store: satmachine.store
    }
  },
  computed: {
    table() {
      const {t} = satmachine
      const add = () => (this.store.partner = {})
      return {
        rows: this.partners,
        sums: this.partners.length ? this.partners : null,
        columns: this.columns,
        actions: this.actions,
        exports: {
          label: t('partners.export'),
          tables: [{table: 'commission', label: t('partners.shares')}]
        },
        buttons: [
          {icon: 'add', color: 'primary', label: t('partners.add'), go: add}
        ],
        empty: {
          icon: 'groups',
          title: t('partners.none_yet'),
          text: t('partners.none_text'),
          action: {icon: 'add', label: t('partners.add_the_first'), go: add}
        }
      }
    },
    columns() {
      const {t} = satmachine
      const {fmt} = this
      return [
        {
          name: 'name',
          label: t('partners.name'),
          sortable: true,
          width: 180,
          caption: partner => fmt.walletName(partner.wallet_id)
        },
        {
          name: 'percent',
          label: t('partners.percent'),
          align: 'right',
          value: partner => `${partner.percent} %`,
          caption: this.where
        },
        {
          name: 'valid_from',
          label: t('partners.since'),
          kind: 'time',
          sortable: true
        },
        {
          name: 'total_sats',
          label: t('partners.paid'),
          kind: 'sats',
          sortable: true,
          caption: partner =>
            partner.pending_sats && {
              text: t('partners.to_be_paid', {
                n: fmt.amount(partner.pending_sats)
              }),
              tone: 'warning'
            },
          total: this.paid
        },
        {name: 'status', label: t('transactions.status'), kind: 'state'}
      ]
    }
  },
  methods: {
    paid(partners) {
      const sum = name => partners.reduce((all, each) => all + each[name], 0)
      const n = this.fmt.amount(sum('pending_sats'))
      return [
        this.fmt.sats(sum('total_sats')),
        ...(sum('pending_sats')
          ? [satmachine.t('partners.to_be_paid', {n})]
          : [])
      ]
    },
    where(partner) {
      return partner.device_ids.length
        ? partner.device_ids.map(id => satmachine.machineName(id)).join(', ')
        : satmachine.t('partners.everywhere')
    },
    actions(partner) {
      const {t} = satmachine
      const isActive = partner.status === 'active'
      return [
        {
          icon: 'edit',
          label: t('partners.change_of', {name: partner.name}),
          tip: t('partners.change'),
          go: () => (this.store.partner = {partner})
        },
        isActive
          ? {
              icon: 'stop_circle',
              label: t('partners.end_of', {name: partner.name}),
              tip: t('partners.end'),
              go: () => this.setStatus(partner, 'ended')
            }
          : {
              icon: 'play_circle',
              label: t('partners.resume_of', {name: partner.name}),
              tip: t('partners.resume'),
              go: () => this.setStatus(partner, 'active')
            }
      ]
    },
    setStatus(partner, status) {
      const {t} = satmachine
      const ends = status === 'ended'
      satmachine.ask({
        title: ends
          ? t('partners.end_of', {name: partner.name})
          : t('partners.resume_of', {name: partner.name}),
        text: ends ? t('partners.end_text') : t('partners.resume_text'),
        okLabel: ends ? t('partners.end') : t('partners.resume'),
        color: ends ? 'warning' : 'positive',
        run: () => satmachine.call('PUT', `/partners/${partner.id}`, {status}),
        done: () => satmachine.changed()
      })
    }
  }
}

// A new partner, or other terms for one: they count from now on.
satmachine.components['sat-partner-dialog'] = {
  template: '#sat-partner-dialog',
  mixins: [satmachine.attempts],
  data() {
    return {fmt: satmachine.format, store: satmachine.store, form: {}}
  },
  computed: {
    partner() {
      return this.store.partner?.partner
    },
    machines() {
      return satmachine.machineOptions()
    },
    problem() {
      const {t} = satmachine
      const {name, wallet, percent} = this.form
      if (!name?.trim()) return t('partners.enter_a_name')
      if (!wallet?.trim()) return t('partners.enter_a_wallet')
      return this.fmt.isAmount(percent || '')
        ? null
        : t('partners.enter_percent')
    }
  },
  watch: {
    'store.partner'(request) {
      if (!request) return
      const {partner} = request
      this.failure = null
      this.form = {
        name: partner?.name || '',
        wallet: partner?.wallet_id || '',
        percent: partner?.percent || '',
        devices: partner?.device_ids || []
      }
    }
  },
  methods: {
    close() {
      this.store.partner = null
    },
    save() {
      const {name, wallet, percent, devices} = this.form
      const body = {
        name: name.trim(),
        wallet_id: wallet.trim(),
        percent: percent.trim(),
        device_ids: devices || []
      }
      return this.attempt(async () => {
        await (this.partner
          ? satmachine.call('PUT', `/partners/${this.partner.id}`, body)
          : satmachine.call('POST', '/partners', body))
        satmachine.notifySuccess(satmachine.t('partners.saved'))
        this.close()
        satmachine.changed()
      })
    }
  }
}

// Whose the commission of one sale is: the partners' parts, and the operator's own.
satmachine.components['sat-commission'] = {
  template: '#sat-commission',
  props: {parts: Array},
  data() {
    return {fmt: satmachine.format}
  },
  computed: {
    // Where nobody has a part, there is nothing to tell.
    lines() {
      const {t} = satmachine
      if (this.parts.length < 2) return []
      return this.parts.map(part => ({
        key: part.partner_id || '',
        name: part.partner_id ? part.name : t('partners.your_own'),
        caption: [
          `${part.percent} %`,
          this.state(part),
          this.fmt.told(part.told, part.error)
        ]
          .filter(Boolean)
          .join(' · '),
        value: this.fmt.amount(part.amount_sats)
      }))
    }
  },
  methods: {
    state(part) {
      return part.status === 'none' ? '' : this.fmt.state(part.status).label
    }
  }
}
