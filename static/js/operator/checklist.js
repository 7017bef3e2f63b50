// The first run: what is still to do until sats reach the first client. Each
// step ticks itself, and leads to where it is done.
satmachine.components['sat-checklist'] = {
  template: '#sat-checklist',
  emits: ['configure', 'go'],
  data() {
    return {fmt: satmachine.format, store: satmachine.store, g: window.g}
  },
  computed: {
    setup() {
      return this.store.overview?.setup
    },
    steps() {
      const {setup} = this
      const {t} = satmachine
      const wallets = this.g.user?.wallets.length || 0
      return [
        {
          name: 'wallets',
          isDone: setup.configured || wallets > 1,
          title: t('checklist.wallets'),
          text: t('checklist.wallets_text'),
          action: t('checklist.wallets_action'),
          icon: 'add',
          go: this.makeWallet
        },
        {
          name: 'connection',
          isDone: setup.configured,
          title: t('checklist.connection'),
          text: t('checklist.connection_text'),
          action: t('checklist.connection_action'),
          icon: 'settings_ethernet',
          go: () => this.$emit('configure')
        },
        {
          name: 'test',
          isDone: setup.tested,
          isBlocked: !setup.configured,
          title: t('checklist.test'),
          text: t('checklist.test_text'),
          action: t('checklist.test_action'),
          icon: 'network_check',
          go: () => satmachine.testConnection()
        },
        {
          name: 'client',
          isDone: setup.clients > 0,
          title: t('checklist.client'),
          text: t('checklist.client_text'),
          action: t('checklist.client_action'),
          icon: 'person_add',
          go: () => {
            this.$emit('go', 'clients')
            this.store.newClient = true
          }
        },
        this.depositStep(),
        {
          name: 'poll',
          isDone: setup.polled,
          isBlocked: !setup.configured,
          title: t('checklist.poll'),
          text: t('checklist.poll_text'),
          action: t('checklist.poll_action'),
          icon: 'sync',
          go: () => satmachine.poll()
        }
      ]
    },
    done() {
      return this.steps.filter(step => step.isDone).length
    },
    isShown() {
      return this.setup && (!this.isDone || this.isLogged || this.isKeyBeside)
    },
    isDone() {
      return this.done === this.steps.length
    },
    // LNbits writes down what is entered here: passwords, too.
    isLogged() {
      return this.setup.request_bodies_logged
    },
    // A copy of the data folder holds the key of what is encrypted there.
    isKeyBeside() {
      return this.setup.secret_key_beside_data
    },
    // The one to do now.
    next() {
      return this.steps.find(step => !step.isDone && !step.isBlocked)
    }
  },
  methods: {
    // A deposit that is recorded waits for the cash to be in the machine.
    depositStep() {
      const {setup} = this
      const {t} = satmachine
      const isWaiting = setup.deposits > 0
      return {
        name: 'deposit',
        isDone: setup.confirmed_deposits > 0,
        isBlocked: !setup.clients,
        title: t('checklist.deposit'),
        text: isWaiting
          ? t('checklist.deposit_waiting')
          : t('checklist.deposit_text'),
        action: isWaiting
          ? t('checklist.deposit_confirm')
          : t('checklist.deposit_action'),
        icon: 'savings',
        go: () => {
          this.$emit('go', 'deposits')
          if (!isWaiting) this.store.deposit = {}
        }
      }
    },
    makeWallet() {
      satmachine.askWallet({
        text: satmachine.t('checklist.new_wallet_text'),
        name: satmachine.t('checklist.wallet_default')
      })
    }
  }
}
