// The Alerts tab: what the operator was told without looking, and what is told how.
satmachine.components['sat-alerts'] = {
  template: '#sat-alerts',
  emits: ['go'],
  data() {
    return {fmt: satmachine.format}
  },
  computed: {
    table() {
      const {t} = satmachine
      return {
        path: '/alerts/paginated',
        sortBy: 'began_at',
        search: {label: t('alerts.search')},
        filters: [
          {
            name: 'kind',
            label: t('alerts.what'),
            options: satmachine.alertKinds.map(value => ({
              value,
              label: t(`alert_kinds.${value}`)
            }))
          }
        ],
        buttons: [
          {
            icon: 'notifications',
            label: t('alerts.settings'),
            go: () => (satmachine.store.alertSettings = true)
          }
        ],
        columns: [
          {
            name: 'kind',
            label: t('alerts.what'),
            sortable: true,
            wrap: true,
            value: alert => t(`alert_kinds.${alert.kind}`),
            caption: this.said
          },
          {
            name: 'began_at',
            label: t('alerts.began'),
            kind: 'time',
            sortable: true
          },
          {
            name: 'ended_at',
            label: t('alerts.ended'),
            sortable: true,
            value: this.ended,
            tone: alert => (alert.ended_at ? null : 'negative')
          },
          {name: 'told_at', label: t('alerts.told'), value: this.told}
        ],
        card: alert => ({
          title: t(`alert_kinds.${alert.kind}`),
          lines: [this.fmt.time(alert.began_at), this.said(alert)]
        }),
        actions: alert =>
          alert.tab
            ? [
                {
                  icon: 'arrow_forward',
                  label: t('alerts.go'),
                  go: () => this.$emit('go', alert.tab)
                }
              ]
            : [],
        empty: {
          icon: 'notifications_none',
          title: t('alerts.none'),
          text: t('alerts.none_text')
        }
      }
    }
  },
  methods: {
    said(alert) {
      return this.fmt.told(alert.told, alert.text)
    },
    ended(alert) {
      return alert.ended_at
        ? this.fmt.time(alert.ended_at)
        : satmachine.t('alerts.open')
    },
    told(alert) {
      return alert.told_at
        ? this.fmt.time(alert.told_at)
        : satmachine.t('alerts.not_told')
    }
  }
}

satmachine.alertKinds = [
  'polls_failing',
  'source_wallet_low',
  'sales_waiting',
  'payments_failed',
  'books_differ',
  'cash_running_out',
  'cash_not_covered',
  'deposit_unconfirmed',
  'client_pending',
  'machine_silent',
  'forwards_failing',
  'clocks_differ',
  'secrets_unreadable'
]

// From when on something is an alert, and which ways it is told.
satmachine.components['sat-alert-settings'] = {
  template: '#sat-alert-settings',
  mixins: [satmachine.attempts],
  data() {
    return {
      fmt: satmachine.format,
      store: satmachine.store,
      form: null,
      saved: null,
      test: null
    }
  },
  computed: {
    rhythms() {
      const {t} = satmachine
      return ['off', 'daily', 'weekly'].map(value => ({
        value,
        label: t(`alerts.digest_${value}`)
      }))
    },
    problem() {
      return satmachine.alertLimits.every(name =>
        /^\d+$/.test(String(this.form[name]))
      )
        ? null
        : satmachine.t('alerts.whole_numbers')
    },
    letters() {
      const {t} = satmachine
      const {letters_waiting: n, letters_given_up: lost} = this.saved
      return n || lost
        ? t('alerts.letters', {
            n,
            lost,
            error: this.fmt.told(this.saved.told, this.saved.last_error || '')
          })
        : null
    }
  },
  watch: {
    'store.alertSettings'(open) {
      if (open) this.load()
    }
  },
  methods: {
    load() {
      this.form = null
      this.test = null
      return this.attempt(async () =>
        this.show(await satmachine.call('GET', '/alerts/settings'))
      )
    },
    show(settings) {
      this.saved = settings
      this.form = {...settings, webhook_secret: ''}
    },
    close() {
      this.store.alertSettings = false
    },
    put() {
      const {form} = this
      const whole = Object.fromEntries(
        satmachine.alertLimits.map(name => [name, Number(form[name])])
      )
      return satmachine.call('PUT', '/alerts/settings', {
        ...whole,
        digest: form.digest,
        webhook_events: form.webhook_events,
        webhook_url: form.webhook_url?.trim() || null,
        webhook_secret: form.webhook_secret
      })
    },
    save() {
      return this.attempt(async () => {
        await this.put()
        satmachine.notifySuccess(satmachine.t('alerts.saved'))
        this.close()
      })
    },
    sendTest() {
      return this.attempt(async () => {
        this.show(await this.put())
        this.test = await satmachine.call('POST', '/alerts/test')
      })
    }
  }
}

satmachine.alertLimits = [
  'source_wallet_below_sats',
  'cash_lasts_days',
  'waiting_hours',
  'machine_silent_hours',
  'digest_hour'
]
