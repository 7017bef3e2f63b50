// The one table of the page. A tab describes its table in one object and has the rest
// done: rows, order, search and filters by the server's pages, the row above the table,
// what stands there instead of rows, the pager, totals, cards instead of rows on a phone.
//
//   <sat-table :table="table"></sat-table>
//
//   table() {
//     return {
//       path: '/machines/paginated',      // or `rows`: all of them, already here
//       sortBy: 'seen_at',                // newest first; without it, the server's order
//       columns: [
//         {name: 'device_id', label: t('…'), kind: 'id'},
//         {name: 'seen_at', label: t('…'), kind: 'time', sortable: true},
//         {name: 'cash', label: t('…'), align: 'right',
//           value: row => fmt.fiat(row.cash, row.currency)}
//       ],
//       empty: {icon: 'atm', title: t('…'), text: t('…')}
//     }
//   }
//
// A column: `name` (the field), `label`, and what it needs of
//   kind       time, sats, state, id; otherwise the text of `value`, or of the field
//   value      row => text
//   caption    row => text, {text, tone, icon, title, cut}, or a list of these: small lines
//   tone       row => 'negative', 'warning', …: its colour
//   title      row => text on hover         badge   row => text beside a state
//   what       of a kind id, what is copied  link    the text opens the row (see `open`)
//   width      pixels: a longer text is cut, and whole on hover
//   wrap       the text may take several lines
//   total      totals => text or a list: in the last row, see `totals`
//   align, sortable, style, hidden: as in Quasar
// A slot `cell-NAME` (with `row`) stands for whatever this does not say; what stands in a
// slot `below-NAME` comes after it.
//
// The rest of a table, all optional:
//   title      above the table               fixed   {name: value}: always asked for
//   search     {label, placeholder}
//   filters    [{name, label, options, hidden}]: `name` as the server's query has it;
//              `query`: value => {name: value}, where that is not all of it
//   period     {name, label}: a field of time that is chosen by days
//   exports    {label, tables}: see sat-export; the filters are added
//   buttons    [{icon, label, name, color, go}]: above, at the end; `go` gets the query of the
//              filters
//   open       row => …: a click on a row
//   actions    row => [{icon, label, tip, color, go, href, items}]: see sat-actions;
//              actionsLabel: their column's header, where it should be seen
//   card       row => {title, lines, facts, foot}: a phone's card; otherwise made of the
//              columns. Slots `card-side` and `card-body` (with `row`) add to it.
//   empty      {icon, title, text, action: {icon, label, go}}: when there is no row at all
//   all        of a table of `rows`: all of them on one page, as for printing
//   sums       of a table of `rows`, the same totals as they are
//   totals     ({answer, query}) => object or promise, given to each column's `total`
//   tab        store.goTo of this tab sets the filter `status`
satmachine.table = (() => {
  const fmt = () => satmachine.format

  const KINDS = {
    time: {
      value: (row, name) => fmt().time(row[name]),
      title: (row, name) => fmt().exactTime(row[name])
    },
    sats: {align: 'right', value: (row, name) => fmt().sats(row[name])},
    state: {value: (row, name) => fmt().state(row[name]).label}
  }

  const text = (column, row) =>
    column.value ? column.value(row, column.name) : (row[column.name] ?? '')

  // Texts and {text, …}, one or several or none, as a list of {text, …}.
  const lines = value =>
    [value]
      .flat()
      .filter(line => line && (typeof line === 'string' || line.text))
      .map(line => (typeof line === 'string' ? {text: line} : line))

  const captions = (column, row) => lines(column.caption?.(row))

  // As Quasar wants them, with what a column's kind brings.
  const columns = table => {
    const own = table.columns
      .filter(column => !column.hidden)
      .map(column => ({
        align: 'left',
        field: column.name,
        ...KINDS[column.kind],
        ...column
      }))
    return table.actions
      ? [...own, {name: 'actions', label: '', align: 'right'}]
      : own
  }

  // A phone's card, where the table does not say what stands on it.
  const card = (table, row) => {
    if (table.card) {
      const own = table.card(row)
      return {...own, lines: lines(own.lines)}
    }
    const [first, ...rest] = columns(table).filter(
      ({name, kind}) => name !== 'actions' && kind !== 'state'
    )
    return {
      title: text(first, row),
      lines: captions(first, row),
      values: rest.map(column => ({
        name: column.label,
        value: text(column, row),
        caption: captions(column, row)
          .map(line => line.text)
          .join(', ')
      }))
    }
  }

  // The server's sums of all rows that the filters choose: for a table's `totals`.
  const sums =
    path =>
    ({query}) =>
      satmachine.call('GET', `${path}/totals?${query}`)

  // Of such sums: a field of sats over all currencies, and of fiat one for each.
  const satsOf = name => totals => {
    const values = totals.currencies.map(each => each.sats[name])
    return values.length ? fmt().sats(Number(fmt().sum(values))) : ''
  }
  const fiatOf = name => totals =>
    totals.currencies.map(each => fmt().fiat(each.fiat[name], each.currency))
  // Of a field that may be confirmed or not: the sum, and of it what is confirmed.
  const confirmed = (of, name) => totals => {
    const [all, paid] = [of(name)(totals), of(`confirmed_${name}`)(totals)]
    if (String(all) === String(paid)) return all
    const part = satmachine.t('tables.of_it_confirmed')
    return [all, part, paid].flat()
  }
  // Of rows that are all here: sums of fiat, one for each currency.
  const fiatSums = amounts => {
    const codes = [...new Set(amounts.map(each => each.currency))].sort()
    return codes.map(code => {
      const own = amounts.filter(each => each.currency === code)
      return fmt().fiat(fmt().sum(own.map(each => each.fiat)), code)
    })
  }

  return {
    text,
    captions,
    columns,
    card,
    sums,
    satsOf,
    fiatOf,
    confirmed,
    fiatSums
  }
})()

// What an empty table says: something else before there is a connection to a machine.
satmachine.emptyUntilConnected = (look, text, textBefore, configure) => {
  const {config, configLoaded} = satmachine.store
  const action = {
    icon: 'settings_ethernet',
    label: satmachine.t('transactions.set_up_the_connection'),
    go: configure
  }
  return config
    ? {...look, text}
    : {...look, text: textBefore, action: configLoaded ? action : null}
}

satmachine.components['sat-table'] = {
  template: '#sat-table',
  props: {table: Object},
  data() {
    return {
      fmt: satmachine.format,
      store: satmachine.store,
      answered: [],
      sums: null,
      loading: false,
      loaded: !this.table.path,
      failure: null,
      search: '',
      filters: {},
      period: null,
      days: {from: null, to: null},
      pageSizes: [10, 25, 50, 100],
      pagination: {
        sortBy: this.table.sortBy || null,
        descending: true,
        page: 1,
        rowsPerPage: this.table.all ? 0 : 10,
        // Without it, Quasar sorts and pages what is here.
        rowsNumber: this.table.path ? 0 : undefined
      }
    }
  },
  computed: {
    rows() {
      return this.table.rows || this.answered
    },
    columns() {
      return satmachine.table.columns(this.table)
    },
    stateColumn() {
      return this.columns.find(column => column.kind === 'state')
    },
    shownFilters() {
      return (this.table.filters || []).filter(filter => !filter.hidden)
    },
    periods() {
      return satmachine.periods.choices()
    },
    // More than two take a row of their own.
    hasManyFilters() {
      const {period} = this.table
      return this.shownFilters.length + (period ? 1 : 0) > 2
    },
    filter() {
      const {table, search, filters, period, days} = this
      const chosen = {search: search || ''}
      Object.entries(filters).forEach(([name, value]) => {
        const filter = table.filters?.find(each => each.name === name)
        Object.assign(chosen, filter?.query?.(value) || {[name]: value})
      })
      if (table.period) {
        const [from, to] = satmachine.periods.bounds(period, days)
        chosen[`${table.period.name}[ge]`] = from
        chosen[`${table.period.name}[lt]`] = to
      }
      return {...chosen, ...table.fixed}
    },
    isFiltered() {
      const fixed = this.table.fixed || {}
      return Object.entries(this.filter).some(
        ([name, value]) => value && !(name in fixed)
      )
    },
    // Text, so that only another question is asked anew.
    query() {
      const chosen = Object.entries(this.filter).filter(([, value]) => value)
      return new URLSearchParams(chosen).toString()
    },
    exported() {
      const {exports} = this.table
      return exports?.tables.map(each => ({...each, filters: this.filter}))
    },
    totals() {
      const sums = this.sums || this.table.sums
      if (!sums) return []
      return this.columns.map(column => ({
        name: column.label,
        align: column.align,
        lines: [column.total?.(sums) || []].flat()
      }))
    }
  },
  watch: {
    'store.changes'() {
      this.load()
    },
    'store.goTo': {
      immediate: true,
      handler(place) {
        if (!place || place.tab !== this.table.tab) return
        this.clear()
        this.filters.status = place.status
        this.pagination.page = 1
      }
    }
  },
  created() {
    this.load()
  },
  methods: {
    async load(request) {
      if (request) this.pagination = request.pagination
      if (!this.table.path) return
      const turn = (this.turn = (this.turn || 0) + 1)
      this.loading = true
      try {
        const query = this.asked()
        const answer = await satmachine.call(
          'GET',
          `${this.table.path}?${query}`
        )
        const sums = await this.table.totals?.({answer, query: this.query})
        if (turn !== this.turn) return
        this.answered = answer.data
        this.pagination.rowsNumber = answer.total
        this.sums = sums || null
        this.failure = null
        // A client's own rows need no names, and a client may not ask for them.
        if (!this.table.path.startsWith('/me/')) {
          satmachine.learnClients(
            answer.data.map(row => row.client_id).filter(Boolean)
          )
        }
      } catch (error) {
        if (turn === this.turn) this.failure = satmachine.sentence(error)
      }
      this.loading = false
      this.loaded = true
    },
    // The page that is shown, in the order of the column that was clicked.
    asked() {
      const {page, rowsPerPage, sortBy, descending} = this.pagination
      const query = new URLSearchParams(this.query)
      query.set('limit', rowsPerPage)
      query.set('offset', (page - 1) * rowsPerPage)
      const column = sortBy || this.table.sortBy
      if (column) {
        query.set('sortby', column)
        query.set('direction', !sortBy || descending ? 'desc' : 'asc')
      }
      return query
    },
    clear() {
      this.search = ''
      this.filters = {}
      this.period = null
      this.days = {from: null, to: null}
    },
    card(row) {
      return satmachine.table.card(this.table, row)
    },
    // For a screen reader: how the rows are ordered by this column.
    order({name, sortable}) {
      if (!sortable) return undefined
      const {sortBy, descending} = this.pagination
      if (name !== sortBy) return 'none'
      return descending ? 'descending' : 'ascending'
    },
    open(row) {
      this.table.open?.(row)
    }
  }
}

// What a column shows of one row.
satmachine.components['sat-cell'] = {
  template: '#sat-cell',
  props: {column: Object, row: Object},
  emits: ['open'],
  data() {
    return {fmt: satmachine.format}
  },
  computed: {
    text() {
      return satmachine.table.text(this.column, this.row)
    },
    captions() {
      return satmachine.table.captions(this.column, this.row)
    },
    title() {
      const {column, row} = this
      if (column.title) return column.title(row, column.name)
      return column.width ? this.text : undefined
    },
    tone() {
      const tone = this.column.tone?.(this.row)
      return tone ? `text-${this.fmt.tone(tone)}` : ''
    },
    badge() {
      return this.column.badge?.(this.row)
    }
  }
}

// Small lines below something: {text, tone, icon, title, cut: pixels, normal: not small}.
satmachine.components['sat-captions'] = {
  template: '#sat-captions',
  props: {lines: {type: Array, default: () => []}},
  data() {
    return {fmt: satmachine.format}
  }
}

// What can be done with a row: round buttons, each named by its label; one with `items`
// opens a menu of {icon, label, go}.
satmachine.components['sat-actions'] = {
  template: '#sat-actions',
  props: {actions: {type: Array, default: () => []}, size: String}
}

satmachine.components['sat-menu'] = {
  template: '#sat-menu',
  props: {items: Array}
}

// A round button that a screen reader reads and a tooltip explains.
satmachine.components['sat-icon-button'] = {
  template: '#sat-icon-button',
  props: {icon: String, label: String, tip: {type: String, default: null}}
}
