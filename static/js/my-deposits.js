// The visitor's cash: how to hand it in, and what was handed in or taken out.
satmachine.components['sat-my-deposits'] = {
  template: '#sat-my-deposits',
  data() {
    return {
      fmt: satmachine.format,
      my: satmachine.my.state,
      store: satmachine.store,
      deposits: null,
      shown: 5,
      failure: null
    }
  },
  computed: {
    rows() {
      return (this.deposits || []).slice(0, this.shown)
    }
  },
  watch: {
    'store.changes'() {
      this.load()
    }
  },
  created() {
    this.load()
  },
  methods: {
    async load() {
      try {
        const path = satmachine.my.path('/deposits')
        this.deposits = await satmachine.call('GET', path)
        this.failure = null
      } catch (error) {
        this.failure = satmachine.sentence(error)
      }
    }
  }
}
