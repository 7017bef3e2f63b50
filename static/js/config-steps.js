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
  data() {
    return {
      sslModes: [
        {value: 'disable', label: 'Off'},
        {value: 'prefer', label: 'When the server offers it'},
        {value: 'require', label: 'Always, any certificate'},
        {value: 'verify-full', label: 'Always, certificate checked'}
      ]
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
        this.keyProblem = 'This file is too large for a private key.'
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
  data() {
    return {
      zones: [],
      commissionMethods: [
        {value: 'markup', label: 'Markup: base = total / (1 + rate)'},
        {
          value: 'margin',
          label: 'Margin: base = total × (1 − rate), less the fixed fee'
        }
      ]
    }
  },
  computed: {
    allZones() {
      const known = Intl.supportedValuesOf
        ? Intl.supportedValuesOf('timeZone')
        : []
      return ['UTC', ...known.filter(zone => zone !== 'UTC')]
    }
  },
  methods: {
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
