// Downloads a table as the server writes it, with the filters in force.
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
  methods: {
    async save(table, form) {
      const query = new URLSearchParams({format: form})
      Object.entries(table.filters || {}).forEach(([name, value]) => {
        if (value) query.set(name, value)
      })
      this.busy = true
      try {
        const response = await LNbits.api.request(
          'GET',
          `${satmachine.API}/export/${table.table}?${query}`,
          null,
          null,
          {responseType: 'blob'}
        )
        this.offer(response)
      } catch (error) {
        satmachine.notifyError(await this.readable(error))
      } finally {
        this.busy = false
      }
    },
    // An error's text came as a file, too.
    async readable(error) {
      const data = error.response?.data
      if (data instanceof Blob) {
        try {
          error.response.data = JSON.parse(await data.text())
        } catch {
          error.response.data = null
        }
      }
      return error
    },
    offer({data, headers}) {
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
  }
}
