// The card beside the tables: is all well, and the operator's four buttons.
satmachine.components['sat-sidebar'] = {
  template: '#sat-sidebar',
  emits: ['configure'],
  data() {
    return {
      fmt: satmachine.format,
      store: satmachine.store
    }
  },
  computed: {
    isPolling() {
      return Boolean(this.store.poll?.busy)
    },
    config() {
      return this.store.config
    },
    buttons() {
      const {t} = satmachine
      const {config, store} = this
      const isFirst = store.configLoaded && !config
      return [
        {
          icon: 'settings_ethernet',
          label: t('sidebar.configure_database'),
          color: isFirst ? 'primary' : undefined,
          disable: !store.configLoaded,
          go: () => this.$emit('configure')
        },
        {
          icon: 'network_check',
          label: t('sidebar.test_connection'),
          busy: Boolean(store.connectionTest?.busy),
          disable: !config,
          go: this.test
        },
        {
          icon: 'sync',
          label: t('sidebar.manual_poll'),
          color: 'primary',
          isMain: true,
          busy: this.isPolling,
          busyLabel: t('sidebar.polling'),
          disable: !config,
          go: this.poll
        },
        {
          icon: 'science',
          label: t('sidebar.test_transaction'),
          go: this.testTransaction
        },
        {
          icon: 'how_to_reg',
          label: t('programme.client_registration'),
          go: () => (store.programme = true)
        },
        {
          icon: 'savings',
          label: t('my_header.my_dca'),
          href: '/satmachineclient/my'
        }
      ]
    },
    // One line that says whether the machine's sales reach the clients.
    health() {
      const {config, lastPoll} = this.store
      if (!this.store.configLoaded) {
        return {
          label: satmachine.t('sidebar.loading'),
          color: 'grey',
          icon: 'hourglass_empty'
        }
      }
      if (!config) {
        return {
          label: satmachine.t('sidebar.not_configured'),
          color: 'grey',
          icon: 'power_off'
        }
      }
      if (this.isPolling || lastPoll?.status === 'running') {
        return {
          label: satmachine.t('sidebar.polling_now'),
          color: 'info',
          icon: 'sync'
        }
      }
      if (!config.is_active) {
        return {
          label: satmachine.t('sidebar.polling_is_off'),
          color: 'warning',
          icon: 'pause_circle'
        }
      }
      if (lastPoll?.status === 'failed') {
        return {
          label: satmachine.t('sidebar.last_poll_failed'),
          color: 'negative',
          icon: 'error'
        }
      }
      if (lastPoll === undefined) {
        return {
          label: satmachine.t('sidebar.state_unknown'),
          color: 'grey',
          icon: 'help'
        }
      }
      if (lastPoll?.problem) {
        return {
          label: satmachine.t('sidebar.succeeded_with_problem'),
          color: 'warning',
          icon: 'warning'
        }
      }
      return lastPoll
        ? {
            label: satmachine.t('sidebar.last_poll_succeeded'),
            color: 'positive',
            icon: 'check_circle'
          }
        : {
            label: satmachine.t('sidebar.not_polled_yet'),
            color: 'warning',
            icon: 'schedule'
          }
    },
    rows() {
      const {config} = this
      if (!config) return []
      const at = iso => ({value: this.fmt.ago(iso), title: this.exact(iso)})
      return [
        {name: satmachine.t('sidebar.last_poll'), ...at(config.last_poll_time)},
        {
          name: satmachine.t('sidebar.last_successful_poll'),
          ...at(config.last_successful_poll)
        },
        {name: satmachine.t('sidebar.last_test'), ...this.lastTest},
        {
          name: satmachine.t('sidebar.polls_itself'),
          value: config.is_active
            ? satmachine.t('sidebar.every', {
                time: this.fmt.count(config.poll_interval_minutes, 'minute')
              })
            : satmachine.t('sidebar.no'),
          title: ''
        }
      ]
    },
    lastTest() {
      const {test_connection_last: last, test_connection_success: ok} =
        this.config
      if (!last) return {value: this.fmt.ago(null), title: ''}
      return {
        value: satmachine.t(ok ? 'sidebar.passed' : 'sidebar.failed', {
          time: this.fmt.ago(last)
        }),
        title: this.exact(last),
        color: ok ? 'positive' : 'negative'
      }
    },
    books() {
      const state = this.store.reconciliation
      if (!state || state.error) return null
      const numbers = Object.entries(state.checked)
        .map(([name, n]) => satmachine.t(`sidebar.checked_${name}`, {n}))
        .join(', ')
      return {...state, numbers}
    },
    // One of the two databases is older than the other: what a person decides then.
    backups() {
      const kinds = new Set(this.books?.differences.map(each => each.kind))
      const found = []
      if (kinds.has('lnbits_payment')) {
        found.push({
          name: 'adopt',
          path: '/adopt',
          label: satmachine.t('sidebar.adopt'),
          text: satmachine.t('sidebar.adopt_text'),
          asked: satmachine.t('sidebar.adopt_asked')
        })
      }
      if (kinds.has('lost')) {
        found.push({
          name: 'pay-again',
          path: '/payments/pay-again',
          label: satmachine.t('sidebar.pay_again'),
          text: satmachine.t('sidebar.pay_again_text'),
          asked: satmachine.t('sidebar.pay_again_asked')
        })
      }
      return found
    }
  },
  methods: {
    decide({path, label, asked}) {
      satmachine.ask({
        title: label,
        text: asked,
        facts: [],
        okLabel: label,
        run: () => satmachine.call('POST', path),
        done: () => satmachine.changed()
      })
    },
    exact(iso) {
      return this.fmt.exactTime(iso)
    },
    test: () => satmachine.testConnection(),
    poll: () => satmachine.poll(),
    testTransaction() {
      this.store.test = {}
    }
  }
}
