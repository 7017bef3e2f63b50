// The Audit tab: what admins have done, with what it was before and after.
{
  const MONEY = [
    'amount',
    'fiat_amount',
    'counted_fiat',
    'fixed_mode_daily_limit',
    'smallest_daily_limit',
    'largest_daily_limit'
  ]
  const TIMESTAMP = /^\d{4}-\d\d-\d\dT/

  satmachine.components['sat-audit'] = {
    template: '#sat-audit',
    computed: {
      table() {
        const {t, format: fmt} = satmachine
        return {
          path: '/audit/paginated',
          sortBy: 'time',
          search: {
            label: t('audit.search_audit'),
            placeholder: t('audit.action_or_id')
          },
          exports: {
            label: t('audit.export'),
            tables: [{table: 'audit', label: t('audit.audit')}]
          },
          columns: [
            {
              name: 'time',
              label: t('audit.time'),
              kind: 'time',
              sortable: true
            },
            {
              name: 'action',
              label: t('audit.action'),
              sortable: true,
              wrap: true,
              value: this.sentence,
              caption: this.changes
            }
          ],
          card: entry => ({
            title: this.sentence(entry),
            lines: [fmt.time(entry.time), ...this.changes(entry)]
          }),
          empty: {
            icon: 'fact_check',
            title: t('audit.nothing_yet'),
            text: t('audit.what_admins_change')
          }
        }
      }
    },
    methods: {
      // Who did what, and whose it is: "admin confirmed a deposit of Ana".
      sentence(entry) {
        const {t, format: fmt} = satmachine
        const whose = entry.subject_name || fmt.shortId(entry.subject)
        const who = entry.actor_name || fmt.shortId(entry.actor)
        const key = entry.action.replace(/ /g, '_')
        return window.i18n.global.te(`satmachineclient.audit_said.${key}`, 'en')
          ? t(`audit_said.${key}`, {who, whose})
          : t('audit.said', {who, whose, action: entry.action})
      },
      // Only what differs: "Status: Active → Paused".
      changes(entry) {
        const before = entry.before || {}
        const after = entry.after || {}
        return Object.keys(after)
          .filter(name => !['updated_at', 'balances'].includes(name))
          .filter(name => this.plain(before[name]) !== this.plain(after[name]))
          .map(name => {
            const [from, to] = [before, after].map(all => this.shown(name, all))
            const field = this.field(name)
            return name in before
              ? `${field}: ${from} → ${to}`
              : `${field}: ${to}`
          })
          .slice(0, 12)
      },
      plain(value) {
        if (value === null || value === undefined || value === '') return '–'
        return typeof value === 'object' ? JSON.stringify(value) : String(value)
      },
      field(name) {
        const key = `audit_fields.${name}`
        return window.i18n.global.te(`satmachineclient.${key}`, 'en')
          ? satmachine.t(key)
          : satmachine.format.words(name)
      },
      // A field's value as the page shows it elsewhere: money, times and states in words.
      shown(name, all) {
        const {t, format: fmt} = satmachine
        const value = all[name]
        if (typeof value === 'boolean')
          return t(value ? 'audit.yes' : 'audit.no')
        if (typeof value === 'string' && value) {
          if (MONEY.includes(name)) {
            return fmt.fiat(value, all.currency || all.fiat_code)
          }
          if (name === 'status') return fmt.state(value).label
          if (name.endsWith('wallet_id')) return fmt.walletName(value)
          if (TIMESTAMP.test(value)) return fmt.time(value)
        }
        if (/_sats$/.test(name) && Number.isInteger(value))
          return fmt.sats(value)
        return this.plain(value)
      }
    }
  }
}
