// Configure Database: the way to the machine's database, the wallets, and how
// often to look. Secrets go in and never come back.
satmachine.components['sat-config-dialog'] = {
  template: '#sat-config-dialog',
  mixins: [satmachine.attempts],
  props: {modelValue: Boolean},
  emits: ['update:modelValue'],
  data() {
    return {
      fmt: satmachine.format,
      store: satmachine.store,
      step: 'connection',
      form: {},
      saved: null,
      // The host key that was accepted, with the address it belongs to.
      accepted: null,
      tried: false,
      testing: false,
      result: null,
      tested: null,
      testedStep: null,
      justAccepted: false,
      steps: ['connection', 'tunnel', 'wallets', 'polling']
    }
  },
  computed: {
    titles() {
      return {
        connection: satmachine.t('config_dialog.connection'),
        tunnel: satmachine.t('config_dialog.ssh_tunnel'),
        wallets: satmachine.t('config_dialog.wallets'),
        polling: satmachine.t('config_dialog.polling')
      }
    },
    isOpen: {
      get() {
        return this.modelValue
      },
      set(open) {
        this.$emit('update:modelValue', open)
      }
    },
    fingerprint() {
      const {accepted, form} = this
      return accepted?.fingerprint && accepted.address === this.sshAddress(form)
        ? accepted.fingerprint
        : null
    },
    // The key the server showed in the last test, if it is not the accepted one.
    newFingerprint() {
      const shown = this.result?.ssh_host_key_fingerprint
      const isSame = this.tested === this.sshAddress(this.form)
      return this.form.use_ssh_tunnel && isSame && shown !== this.fingerprint
        ? shown
        : null
    },
    problems() {
      return satmachine.configForm.problems(this.form)
    },
    firstProblem() {
      const step = this.steps.find(name => this.problems[name])
      return step ? {step, text: this.problems[step]} : null
    },
    // What the last test of this dialog, or of the sidebar, says of it.
    lastTest() {
      return this.result || this.store.connectionTest?.result || null
    },
    finding() {
      const step = this.lastTest?.steps.find(
        step => step.name === 'commission_method' && step.status === 'ok'
      )
      return step && satmachine.format.told(step.told, step.detail)
    },
    found() {
      return satmachine.foundMethod(this.lastTest)
    },
    isLastStep() {
      return this.step === this.steps[this.steps.length - 1]
    }
  },
  watch: {
    modelValue(open) {
      if (open) this.fill(this.store.config)
    }
  },
  methods: {
    fill(config) {
      this.saved = config
      this.form = satmachine.configForm.fill(config)
      this.accepted = config
        ? {
            address: this.sshAddress(config),
            fingerprint: config.ssh_host_key_fingerprint
          }
        : null
      this.step = 'connection'
      this.tried = false
      this.result = null
      this.justAccepted = false
      this.failure = null
    },
    sshAddress(form) {
      return `${form.ssh_host}:${form.ssh_port}`
    },
    body() {
      return satmachine.configForm.body(this.form, this.fingerprint)
    },
    complete() {
      this.tried = true
      if (!this.firstProblem) return true
      this.step = this.firstProblem.step
      return false
    },
    accept() {
      this.accepted = {
        address: this.sshAddress(this.form),
        fingerprint: this.newFingerprint
      }
      this.justAccepted = true
    },
    move(by) {
      this.step = this.steps[this.steps.indexOf(this.step) + by]
    },
    async test() {
      if (this.testing || !this.complete()) return
      this.testing = true
      this.failure = null
      this.result = null
      this.justAccepted = false
      const address = this.sshAddress(this.form)
      try {
        this.result = await satmachine.call(
          'POST',
          '/test-connection',
          this.body()
        )
        this.tested = address
        this.testedStep = this.step
        this.$nextTick(() =>
          this.$refs.result?.scrollIntoView({
            behavior: 'smooth',
            block: 'nearest'
          })
        )
      } catch (error) {
        this.failure = satmachine.sentence(error)
      } finally {
        this.testing = false
      }
    },
    save() {
      if (this.busy || !this.complete()) return
      const asked = this.asked()
      if (!asked.length) return this.send()
      satmachine.ask({
        title: asked[0].title,
        text: asked.map(each => each.text).join(' '),
        icon: 'warning',
        okLabel: asked[0].okLabel,
        color: 'warning',
        run: () => satmachine.call('POST', '/config', this.body()),
        done: config => this.saveDone(config)
      })
    },
    // What is asked before it is saved: neither can be undone by saving again.
    asked() {
      const {t} = satmachine
      const {form, saved} = this
      const found = []
      if (form.another_database) {
        found.push({
          title: t('config_dialog.another_database'),
          text: t('config_dialog.another_database_asked'),
          okLabel: t('config_dialog.save_as_another')
        })
      }
      if (form.credit_source_wallet && !saved?.credit_source_wallet) {
        found.push({
          title: t('config_dialog.credit_the_source_wallet'),
          text: t('config_dialog.for_every_sale_read_from'),
          okLabel: t('config_dialog.save_with_crediting')
        })
      }
      return found
    },
    send() {
      return this.attempt(async () =>
        this.saveDone(await satmachine.call('POST', '/config', this.body()))
      )
    },
    saveDone(config) {
      this.store.config = config
      this.isOpen = false
      satmachine.notifySuccess(
        satmachine.t('config_dialog.configuration_saved')
      )
      satmachine.changed()
    }
  }
}
