// The Audit tab: what admins have done, with what it was before and after.
satmachine.components['sat-audit'] = {
  template: '#sat-audit',
  mixins: [satmachine.tableMixin],
  path: '/audit',
  sortBy: 'time',
  data() {
    return {filters: {}}
  },
  computed: {
    columns() {
      return [
        {
          name: 'time',
          label: satmachine.t('audit.time'),
          align: 'left',
          sortable: true
        },
        {
          name: 'action',
          label: satmachine.t('audit.action'),
          align: 'left',
          sortable: true
        },
        {name: 'change', label: satmachine.t('audit.change'), align: 'left'},
        {name: 'actor', label: satmachine.t('audit.actor'), align: 'left'}
      ]
    }
  },
  methods: {
    // Only what differs: "status: active → paused".
    changes(entry) {
      const before = entry.before || {}
      const after = entry.after || {}
      return Object.keys(after)
        .filter(name => !['updated_at', 'balances'].includes(name))
        .filter(name => this.plain(before[name]) !== this.plain(after[name]))
        .map(name =>
          name in before
            ? `${name}: ${this.plain(before[name])} → ${this.plain(after[name])}`
            : `${name}: ${this.plain(after[name])}`
        )
        .slice(0, 12)
    },
    plain(value) {
      if (value === null || value === undefined || value === '') return '–'
      return typeof value === 'object' ? JSON.stringify(value) : String(value)
    }
  }
}
