// Starts the page: the app, the tabs, and the components of the other files.
window.app = Vue.createApp({
  el: '#vue',
  mixins: [window.windowMixin],
  data() {
    return {
      store: satmachine.store,
      fmt: satmachine.format,
      tab: 'overview',
      showConfig: false,
      openTransaction: null
    }
  },
  computed: {
    tabs() {
      const {t} = satmachine
      const waiting = this.store.overview?.attention
      return [
        {name: 'overview', label: t('index.overview')},
        {
          name: 'clients',
          label: t('clients.clients'),
          number:
            waiting && waiting.pending_clients + waiting.clients_to_settle,
          color: 'warning'
        },
        {
          name: 'deposits',
          label: t('deposits.deposits'),
          number: waiting?.pending_deposits,
          color: 'warning'
        },
        {
          name: 'transactions',
          label: t('transactions.transactions'),
          number: waiting?.reviews,
          color: 'negative'
        },
        {name: 'machines', label: t('machines.machines')},
        {name: 'partners', label: t('partners.partners')},
        {name: 'forwards', label: t('forwards.forwards')},
        {name: 'report', label: t('report.report')},
        {name: 'polls', label: t('polls.polls')},
        {name: 'alerts', label: t('alerts.alerts')},
        {name: 'audit', label: t('audit.audit')}
      ]
    },
    // What waits for a person, each with the place where it is dealt with.
    attention() {
      const {overview, reconciliation} = this.store
      if (!overview) return []
      const {t} = satmachine
      const {count} = this.fmt
      const waiting = overview.attention
      const to =
        (status, tab = 'transactions') =>
        () =>
          this.goTo(tab, status)
      const list = [
        ...this.obstacles,
        {
          number: overview.connection.secrets_to_reenter.length,
          label: () => t('index.secrets'),
          icon: 'vpn_key',
          color: 'negative',
          go: this.configure
        },
        {
          number: reconciliation?.differences?.length,
          label: n => t('index.differences', {what: count(n, 'difference')}),
          icon: 'rule',
          color: 'negative',
          go: () =>
            document
              .getElementById('sat-books')
              ?.scrollIntoView({behavior: 'smooth'})
        },
        {
          number: waiting.reviews,
          label: n => t('index.to_review', {what: count(n, 'sale')}),
          icon: 'flag',
          color: 'negative',
          go: to('needs_review')
        },
        {
          number: waiting.failed_payments,
          label: n => t('index.failed', {what: count(n, 'payment')}),
          icon: 'error',
          color: 'negative',
          go: to('planned')
        },
        {
          number: waiting.waiting_payments,
          label: n => t('index.waiting', {what: count(n, 'payment')}),
          icon: 'schedule',
          color: 'warning',
          go: to('planned')
        },
        {
          number: waiting.pending_deposits,
          label: n => t('index.to_confirm', {what: count(n, 'deposit')}),
          icon: 'savings',
          color: 'warning',
          go: to(null, 'deposits')
        },
        {
          number: waiting.pending_clients,
          label: n => t('index.to_approve', {what: count(n, 'client')}),
          icon: 'how_to_reg',
          color: 'warning',
          go: to('pending', 'clients')
        },
        {
          number: waiting.clients_to_settle,
          label: n => t('index.to_settle', {what: count(n, 'client')}),
          icon: 'request_quote',
          color: 'warning',
          go: to('to_settle', 'clients')
        }
      ]
      return list
        .filter(item => item.number)
        .map(item => ({...item, label: item.label(item.number)}))
    },
    // What stops money from moving, each where it is mended.
    obstacles() {
      const {t} = satmachine
      const found = this.store.overview.attention.obstacles
      return ['source', 'commission', 'client', 'partner'].map(what => {
        const some = found.filter(each => each.code === `${what}_wallet_gone`)
        const names = some.slice(0, 3).map(each => each.name || '–')
        const more = some.length > 3 ? ', …' : ''
        return {
          number: some.length,
          label: () => t(`obstacles.${what}`, {names: names.join(', ') + more}),
          icon: 'money_off',
          color: 'negative',
          go:
            {
              client: () => this.goTo('clients'),
              partner: () => this.goTo('partners')
            }[what] || this.configure
        }
      })
    },
    isFirstRun() {
      return this.store.configLoaded && !this.store.config
    }
  },
  watch: {
    'store.goTo'(place) {
      if (place?.id) this.openTransaction = place.id
    }
  },
  beforeCreate() {
    satmachine.addMessages()
  },
  created() {
    // LNbits' wallet list reads the current wallet with each payment message,
    // and fails on a page that has none.
    if (!window.g.wallet) window.g.wallet = window.g.user?.wallets[0] || null
    satmachine.loadState()
    // An alert's link names the tab where its matter stands.
    const named = new URLSearchParams(window.location.search).get('tab')
    if (this.tabs.some(({name}) => name === named)) this.tab = named
    this.timer = setInterval(() => {
      if (!document.hidden) satmachine.watchPolls()
    }, 60000)
  },
  unmounted() {
    clearInterval(this.timer)
  },
  methods: {
    configure() {
      this.showConfig = true
    },
    goTo(tab, status = null, id = null) {
      this.tab = tab
      this.store.goTo = {tab, status, id}
    }
  }
})

Object.entries(satmachine.components).forEach(([name, component]) =>
  window.app.component(name, component)
)
