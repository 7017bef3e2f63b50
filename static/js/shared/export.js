// Downloads what the server writes as a file.
satmachine.download = (() => {
  // An error's text came as a file, too.
  const readable = async error => {
    const data = error.response?.data
    if (data instanceof Blob) {
      try {
        error.response.data = JSON.parse(await data.text())
      } catch {
        error.response.data = null
      }
    }
    return error
  }

  const offer = ({data, headers}) => {
    const named = /filename="([^"]+)"/.exec(headers['content-disposition'])
    const link = document.createElement('a')
    link.href = URL.createObjectURL(data)
    link.download = named ? named[1] : 'export'
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 10000)
    satmachine.notifySuccess(
      satmachine.t('export.saved', {file: link.download})
    )
  }

  return async path => {
    try {
      const address = satmachine.API + path
      const type = {responseType: 'blob'}
      offer(await LNbits.api.request('GET', address, null, null, type))
    } catch (error) {
      satmachine.notifyError(await readable(error))
    }
  }
})()

// A table as a file, with the filters in force.
satmachine.components['sat-export'] = {
  template: '#sat-export',
  props: {
    // What is exported: [{table, label, filters}]
    tables: Array,
    label: String
  },
  data() {
    return {busy: false}
  },
  computed: {
    items() {
      return this.tables.flatMap(table =>
        ['csv', 'json'].map(form => ({
          icon: form === 'csv' ? 'grid_on' : 'code',
          label: satmachine.t('export.as', {
            what: table.label,
            form: form.toUpperCase()
          }),
          caption:
            form === 'csv' ? satmachine.t('export.for_spreadsheets') : null,
          go: () => this.save(table, form)
        }))
      )
    }
  },
  methods: {
    async save(table, form) {
      const query = new URLSearchParams({format: form})
      Object.entries(table.filters || {}).forEach(([name, value]) => {
        if (value) query.set(name, value)
      })
      this.busy = true
      await satmachine.download(`/export/${table.table}?${query}`)
      this.busy = false
    }
  }
}
