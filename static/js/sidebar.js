// The card beside the tables: is all well, and the operator's four buttons.
satmachine.components['sat-sidebar'] = {
  template: '#sat-sidebar',
  emits: ['configure'],
  data() {
    return {
      fmt: satmachine.format,
      store: satmachine.store,
      testing: false,
      testResult: null,
      pollResult: null
    }
  },
  computed: {
    config() {
      return this.store.config
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
      if (this.store.polling || lastPoll?.status === 'running') {
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
            ? `every ${this.fmt.count(config.poll_interval_minutes, 'minute')}`
            : 'no',
          title: ''
        }
      ]
    },
    lastTest() {
      const {test_connection_last: last, test_connection_success: ok} =
        this.config
      if (!last) return {value: 'never', title: ''}
      return {
        value: `${ok ? 'passed' : 'failed'} ${this.fmt.ago(last)}`,
        title: this.exact(last),
        color: ok ? 'positive' : 'negative'
      }
    },
    books() {
      const state = this.store.reconciliation
      if (!state || state.error) return null
      const {checked} = state
      const numbers =
        checked && typeof checked === 'object'
          ? Object.entries(checked)
              .map(([name, n]) => `${n} ${name.replace(/_/g, ' ')}`)
              .join(', ')
          : this.fmt.count(checked || 0, 'record')
      return {...state, numbers}
    },
    pollSentences() {
      const result = this.pollResult
      if (!result) return []
      const {count, sats} = this.fmt
      const list = [
        `${count(result.found, 'sale')} found, ` +
          `${sats(result.new)} not seen before, ` +
          `${sats(result.planned)} shared out.`
      ]
      list.push(
        result.confirmed_payments
          ? `${count(result.confirmed_payments, 'payment')} made: ` +
              `${sats(result.distributed_sats)} sats.`
          : satmachine.t('sidebar.no_payments_made')
      )
      if (result.reviews) {
        list.push(
          `${count(result.reviews, 'sale')} need a person’s decision: ` +
            'see the transactions to review.'
        )
      }
      if (result.pending_payments) {
        list.push(
          `${count(result.pending_payments, 'payment')} still pending: ` +
            'tried again with the next poll.'
        )
      }
      if (result.failed_payments) {
        list.push(
          `${count(result.failed_payments, 'payment')} failed: ` +
            'see the transactions that are not fully paid.'
        )
      }
      return list
    },
    pollTitle() {
      const result = this.pollResult
      if (!result.success) return satmachine.t('sidebar.the_poll_failed')
      if (result.failed_payments)
        return satmachine.t('sidebar.poll_done_some_payments_failed')
      return result.new || result.reviews
        ? satmachine.t('sidebar.poll_done')
        : satmachine.t('sidebar.poll_done_nothing_new')
    }
  },
  methods: {
    exact(iso) {
      return this.fmt.exactTime(iso)
    },
    async test() {
      this.testing = true
      try {
        this.testResult = await satmachine.call('POST', '/test-connection', {})
      } catch (error) {
        satmachine.notifyError(error)
      } finally {
        this.testing = false
        satmachine.loadConfig()
      }
    },
    async poll() {
      this.store.polling = true
      try {
        this.pollResult = await satmachine.call('POST', '/manual-poll')
      } catch (error) {
        satmachine.notifyError(error)
      } finally {
        this.store.polling = false
        satmachine.changed()
      }
    },
    testTransaction() {
      this.store.test = {}
    }
  }
}
