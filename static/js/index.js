// Starts the page: the app, the tabs, and the components of the other files.
window.app = Vue.createApp({
  el: '#vue',
  mixins: [window.windowMixin],
  data() {
    return {
      store: satmachine.store,
      fmt: satmachine.format,
      tab: 'clients',
      showConfig: false
    }
  },
  computed: {
    // What waits for a person, each with the place where it is dealt with.
    attention() {
      const {counts, config} = this.store
      const {count} = this.fmt
      const list = []
      if (config?.secrets_to_reenter?.length) {
        list.push({
          label: 'Stored secrets to enter again',
          icon: 'vpn_key',
          color: 'negative',
          go: this.configure
        })
      }
      if (counts?.reviews) {
        list.push({
          label: `${count(counts.reviews, 'sale')} to review`,
          icon: 'flag',
          color: 'negative',
          go: () => this.goTo('transactions', 'needs_review')
        })
      }
      if (counts?.unsettled) {
        list.push({
          label: `${count(counts.unsettled, 'sale')} not fully paid`,
          icon: 'schedule',
          color: 'warning',
          go: () => this.goTo('transactions', 'planned')
        })
      }
      if (counts?.deposits) {
        list.push({
          label: `${count(counts.deposits, 'deposit')} to confirm`,
          icon: 'savings',
          color: 'warning',
          go: () => this.goTo('deposits')
        })
      }
      return list
    },
    isFirstRun() {
      return this.store.configLoaded && !this.store.config
    }
  },
  created() {
    // LNbits' wallet list reads the current wallet with each payment message,
    // and fails on a page that has none.
    if (!window.g.wallet) window.g.wallet = window.g.user?.wallets[0] || null
    satmachine.loadState()
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
