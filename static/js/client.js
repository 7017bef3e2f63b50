// Starts My DCA: the app, and the components of the other files.
window.app = Vue.createApp({
  el: '#vue',
  mixins: [window.windowMixin],
  data() {
    return {my: satmachine.my.state, showSettings: false, showKeys: false}
  },
  computed: {
    // Before the first cash there are no figures to show.
    hasBegun() {
      const {balances, total_sats: sats, waiting_sats: onTheirWay} = this.my.me
      return Boolean(balances.length || sats || onTheirWay)
    }
  },
  beforeCreate() {
    satmachine.addMessages()
  },
  created() {
    // LNbits' wallet list reads the current wallet with each payment message,
    // and fails on a page that has none.
    if (!window.g.wallet) window.g.wallet = window.g.user?.wallets[0] || null
    this.load()
    // Sales are shared out without this page: show what they brought.
    this.timer = setInterval(() => {
      if (!document.hidden) satmachine.my.load()
    }, 60000)
  },
  unmounted() {
    clearInterval(this.timer)
  },
  methods: {
    load() {
      const wanted = new URLSearchParams(window.location.search)
      return satmachine.my.load(wanted.get('client_id'))
    }
  }
})

Object.entries(satmachine.components).forEach(([name, component]) =>
  window.app.component(name, component)
)
