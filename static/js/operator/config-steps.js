// The steps of the Configure Database dialog. They share its `form` and change
// it; `saved` is the stored configuration, or null.
satmachine.configStep = {
  props: {form: Object, saved: Object},
  data() {
    return {fmt: satmachine.format}
  },
  methods: {
    secretHint(name) {
      return satmachine.configForm.secretHint(name, this.form, this.saved)
    }
  }
}

satmachine.components['sat-config-connection'] = {
  template: '#sat-config-connection',
  mixins: [satmachine.configStep],
  props: {roleSql: String},
  data() {
    return {roleText: ''}
  },
  async created() {
    const answer = await fetch(this.roleSql)
    this.roleText = answer.ok ? await answer.text() : ''
  },
  computed: {
    sslModes() {
      const {t} = satmachine
      return [
        {value: 'disable', label: t('config_steps.off')},
        {value: 'prefer', label: t('config_steps.when_the_server_offers_it')},
        {value: 'require', label: t('config_steps.always_any_certificate')},
        {
          value: 'verify-full',
          label: t('config_steps.always_certificate_checked')
        }
      ]
    },
    sql() {
      // The one in static/sql, for this user and what is read.
      const user = (this.form.username || 'dca_ro').replace(/'/g, "''")
      return this.roleText
        .replace(
          "reader CONSTANT text := 'dca_ro'",
          () => `reader CONSTANT text := '${user}'`
        )
        .replace(
          'cash_ins CONSTANT boolean := false',
          `cash_ins CONSTANT boolean := ${this.form.direction !== 'cash_out'}`
        )
    }
  }
}

// Said of a database once, when it takes the place of another one.
satmachine.components['sat-another-database'] = {
  template: '#sat-another-database',
  mixins: [satmachine.configStep],
  computed: {
    hasMoved() {
      return satmachine.configForm.hasMoved(this.form, this.saved)
    }
  }
}

satmachine.components['sat-config-tunnel'] = {
  template: '#sat-config-tunnel',
  mixins: [satmachine.configStep],
  props: {fingerprint: String},
  data() {
    return {keyFile: null, keyProblem: null}
  },
  methods: {
    async readKey(file) {
      this.keyProblem = null
      if (!file) return
      if (file.size > 16384) {
        this.keyProblem = satmachine.t('config_steps.this_file_is_too_large')
        return
      }
      this.form.ssh_private_key = await file.text()
    }
  }
}

satmachine.components['sat-config-wallets'] = {
  template: '#sat-config-wallets',
  mixins: [satmachine.configStep],
  computed: {
    isSuperUser() {
      return Boolean(window.g.user?.super_user)
    },
    schedules() {
      return ['each_poll', 'daily', 'weekly'].map(value => ({
        value,
        label: satmachine.t(`payouts.${value}`)
      }))
    }
  },
  methods: {
    // My own wallets, and the stored one where it is another admin's.
    options(storedId) {
      const own = this.fmt.walletOptions()
      return !storedId || own.some(option => option.value === storedId)
        ? own
        : [...own, {value: storedId, label: this.fmt.walletName(storedId)}]
    }
  }
}

satmachine.components['sat-config-polling'] = {
  template: '#sat-config-polling',
  mixins: [satmachine.configStep],
  props: {
    // What the last connection test said about the commission, and found.
    finding: String,
    found: String
  },
  data() {
    return {zones: []}
  },
  computed: {
    directions() {
      const {t} = satmachine
      return [
        {value: 'cash_out', label: t('config_steps.cash_outs')},
        {value: 'cash_in', label: t('config_steps.cash_ins')},
        {value: 'both', label: t('config_steps.both_directions')}
      ]
    },
    withCashIns() {
      return this.form.direction !== 'cash_out'
    },
    // Sales are shared out that were left alone so far.
    isWider() {
      const before = this.saved?.direction
      return before && before !== 'both' && before !== this.form.direction
    },
    commissionMethods() {
      const {t} = satmachine
      return [
        {value: 'markup', label: t('config_steps.markup_base_total_1_rate')},
        {value: 'margin', label: t('config_steps.margin_base_total_1_rate')}
      ]
    },
    allZones() {
      const known = Intl.supportedValuesOf
        ? Intl.supportedValuesOf('timeZone')
        : []
      return ['UTC', ...known.filter(zone => zone !== 'UTC')]
    }
  },
  methods: {
    // Crediting makes balance of what one row says: a ceiling bounds it.
    ceilingHint(name) {
      return this.form.credit_source_wallet && !this.form[name]?.trim()
        ? satmachine.t('config_steps.ceiling_suggested')
        : undefined
    },
    filterZones(text, update) {
      update(() => {
        const wanted = text.trim().toLowerCase().replace(/ /g, '_')
        this.zones = this.allZones.filter(zone =>
          zone.toLowerCase().includes(wanted)
        )
      })
    }
  }
}

// A stored secret goes with the next save; one that is typed takes its place.
satmachine.components['sat-remove-secret'] = {
  template: '#sat-remove-secret',
  props: {name: String, form: Object, saved: Object}
}
