// What every part of the page shares: the REST calls, the state, the errors.
window.satmachine = (() => {
  const API = '/satmachineclient/api/v1/dca'

  // A text of the page in the operator's language; `lang/` has them all.
  const t = (key, values) =>
    window.i18n.global.t(`satmachineclient.${key}`, values || {})
  const tIf = key => (key ? t(key) : undefined)

  // Before the first component is made: LNbits makes i18n after this file.
  const addMessages = () => {
    Object.entries(satmachine.messages).forEach(([language, messages]) =>
      window.i18n.global.mergeLocaleMessage(language, {
        satmachineclient: messages
      })
    )
    Vue.watch(() => window.i18n.global.locale, translateTables, {
      immediate: true
    })
  }

  // Quasar's own words on a table, which LNbits leaves in English.
  const translateTables = () => {
    const table = {
      ...Quasar.Lang.props.table,
      recordsPerPage: t('tables.rows'),
      allRows: t('tables.all'),
      pagination: (from, to, all) => t('tables.range', {from, to, all})
    }
    Quasar.Lang.set({...Quasar.Lang.props, table})
  }

  const store = Vue.reactive({
    config: null,
    configLoaded: false,
    lastPoll: undefined,
    reconciliation: null,
    // All figures: see overview.py.
    overview: null,
    overviewFailure: null,
    // What is known of clients, by id: see learnClients.
    clients: {},
    // The machines with their figures: GET /machines.
    machines: [],
    // A manual poll, from its start to its result: see polling.js.
    poll: null,
    // The connection test of the saved configuration: see testing.js.
    connectionTest: null,
    question: null,
    changes: 0,
    // Requests from one part of the page to another.
    deposit: null,
    partner: null,
    withdraw: null,
    settle: null,
    programme: false,
    alertSettings: false,
    test: null,
    newClient: false,
    client: null,
    goTo: null
  })

  const call = async (method, path, data) => {
    const response = await LNbits.api.request(method, API + path, null, data)
    return response.data
  }

  // The server's own sentence in the page's language, or what is known when there is none.
  const sentence = error => {
    const {detail, told} = error.response?.data || {}
    if (typeof detail === 'string' && detail) {
      return satmachine.format.told(told, detail)
    }
    if (Array.isArray(detail)) return detail.map(e => e.msg).join(', ')
    if (error.response) {
      return satmachine.t('base.no_reason', {status: error.response.status})
    }
    if (error.request || error.code === 'ERR_NETWORK') {
      return satmachine.t('base.lnbits_did_not_answer_is')
    }
    return error.message || String(error)
  }

  const notifyError = error => {
    const {detail, told} = error.response?.data || {}
    if (typeof detail === 'string' && !told) {
      return LNbits.utils.notifyApiError(error)
    }
    if (!error.response && !error.request) console.error(error)
    Quasar.Notify.create({
      type: 'negative',
      icon: null,
      message: sentence(error),
      closeBtn: true
    })
  }

  const notifySuccess = (message, caption) =>
    Quasar.Notify.create({type: 'positive', icon: 'check', message, caption})

  const notifyWarning = message =>
    Quasar.Notify.create({type: 'warning', message, closeBtn: true})

  const loadConfig = async () => {
    try {
      store.config = await call('GET', '/config')
      store.configLoaded = true
    } catch (error) {
      notifyError(error)
    }
  }

  const loadOverview = async () => {
    try {
      store.overview = await call('GET', '/overview')
      store.overviewFailure = null
      store.lastPoll = store.overview.connection.last_poll
    } catch (error) {
      store.overviewFailure = sentence(error)
    }
  }

  const loadLastPoll = async () => {
    try {
      const query = 'limit=1&sortby=started_at&direction=desc'
      const page = await call('GET', `/polls/paginated?${query}`)
      store.lastPoll = page.data[0] || null
    } catch (error) {
      store.lastPoll = undefined
      console.warn('last poll', sentence(error))
    }
  }

  const loadReconciliation = async () => {
    try {
      store.reconciliation = await call('GET', '/reconciliation?days=35')
    } catch (error) {
      store.reconciliation = {error: sentence(error)}
    }
  }

  // Names for the ids that a table shows: one request for those not known yet.
  const learnClients = async ids => {
    const unknown = [...new Set(ids)].filter(id => !store.clients[id])
    if (!unknown.length) return
    const query = new URLSearchParams({
      'id[in]': unknown.join(','),
      limit: unknown.length
    })
    try {
      const page = await call('GET', `/clients/paginated?${query}`)
      page.data.forEach(client => (store.clients[client.id] = client))
    } catch (error) {
      console.warn('clients', sentence(error))
    }
  }

  // The name of a row's client: its own, or what is known by the id.
  const clientName = (id, name) =>
    name || satmachine.format.clientName(store.clients[id] || {id})

  const loadMachines = async () => {
    try {
      store.machines = await call('GET', '/machines')
    } catch (error) {
      console.warn('machines', sentence(error))
    }
  }

  // What a machine is called, as far as anybody has named it.
  const machineName = id =>
    store.machines.find(machine => machine.device_id === id)?.name ||
    satmachine.format.shortId(id)

  const machineOptions = () =>
    store.machines.map(machine => ({
      value: machine.device_id,
      label: machineName(machine.device_id)
    }))

  const loadState = () =>
    Promise.all([
      loadConfig(),
      loadOverview(),
      loadReconciliation(),
      loadMachines()
    ])

  // The hourly poll works without this page: show what it did.
  const watchPolls = async () => {
    const key = poll => poll && `${poll.id} ${poll.status}`
    const before = key(store.lastPoll)
    await loadLastPoll()
    if (key(store.lastPoll) !== before) changed()
  }

  // After anything was changed: the tables watch `changes`, the rest reloads.
  const changed = () => {
    store.changes += 1
    return loadState()
  }

  // Opens the one question dialog of the page (question.js):
  // {title, text, facts, icon, color, okLabel, fields, run, done}.
  const ask = question => {
    store.question = {
      fields: [],
      facts: [],
      color: 'primary',
      okLabel: 'OK',
      ...question
    }
  }

  // For a component that shows one answer of the server: `load()` reads it, at first and after
  // anything was changed; `failure` is the sentence of why it could not be read.
  const reads = (name, path, blank = null) => ({
    data() {
      return {[name]: blank, failure: null}
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
          this[name] = await call('GET', path())
          this.failure = null
        } catch (error) {
          this.failure = sentence(error)
        }
      }
    }
  })

  return {
    API,
    components: {},
    messages: {},
    t,
    tIf,
    addMessages,
    store,
    call,
    sentence,
    notifyError,
    notifySuccess,
    notifyWarning,
    loadState,
    watchPolls,
    loadConfig,
    loadOverview,
    learnClients,
    machineName,
    machineOptions,
    clientName,
    changed,
    reads,
    ask
  }
})()
