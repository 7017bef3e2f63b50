// A table whose pages, order, search and filters are the server's.
// A component that mixes this in names its `path`, `sortBy` and `columns`; one whose
// rows are not found under `path`/paginated says where in `address`, and one without
// `sortBy` takes them in the server's order.
satmachine.tableMixin = {
  data() {
    return {
      fmt: satmachine.format,
      store: satmachine.store,
      rows: [],
      loading: false,
      loaded: false,
      failure: null,
      search: '',
      filters: {},
      pageSizes: [10, 25, 50, 100],
      pagination: {
        sortBy: this.$options.sortBy || null,
        descending: true,
        page: 1,
        rowsPerPage: 10,
        rowsNumber: 0
      }
    }
  },
  computed: {
    address() {
      return `${this.$options.path}/paginated`
    },
    filter() {
      return {search: this.search || '', ...this.filters}
    },
    isFiltered() {
      return Object.values(this.filter).some(Boolean)
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
    async load(request) {
      if (request) this.pagination = request.pagination
      const {page, rowsPerPage, sortBy, descending} = this.pagination
      const query = {
        limit: rowsPerPage,
        offset: (page - 1) * rowsPerPage
      }
      const column = sortBy || this.$options.sortBy
      if (column) {
        query.sortby = column
        query.direction = !sortBy || descending ? 'desc' : 'asc'
      }
      Object.entries(this.filter).forEach(([name, value]) => {
        if (value) query[name] = value
      })
      const turn = (this.turn = (this.turn || 0) + 1)
      this.loading = true
      try {
        const answer = await satmachine.call(
          'GET',
          `${this.address}?${new URLSearchParams(query)}`
        )
        if (turn !== this.turn) return
        this.rows = answer.data
        this.pagination.rowsNumber = answer.total
        this.failure = null
        satmachine.learnClients(
          answer.data.map(row => row.client_id).filter(Boolean)
        )
      } catch (error) {
        if (turn === this.turn) this.failure = satmachine.sentence(error)
      }
      this.loading = false
      this.loaded = true
    },
    clearFilter() {
      this.search = ''
      Object.keys(this.filters).forEach(name => (this.filters[name] = null))
    },
    clientName(id, name) {
      const client = this.store.clients[id]
      return name || this.fmt.clientName(client || {id})
    }
  }
}
