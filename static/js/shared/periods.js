// The times that a table, or anything else, can be filtered by: a choice, and its two ends.
satmachine.periods = (() => {
  // From midnight to midnight, as the operator's clock has them.
  const midnight = (date, more = 0) => {
    const [year, month, day] = date.split('-').map(Number)
    return new Date(year, month - 1, day + more).toISOString()
  }
  // The first day of this month, or of one before it or after it.
  const month = (more = 0) => {
    const now = new Date()
    return new Date(now.getFullYear(), now.getMonth() + more, 1).toISOString()
  }
  const daysBack = days => {
    const now = new Date()
    const [year, month, day] = [
      now.getFullYear(),
      now.getMonth(),
      now.getDate()
    ]
    return new Date(year, month, day + 1 - days).toISOString()
  }
  // One of the `choices`, with its own days, as the two ends of a filter.
  const bounds = (period, days) => {
    if (period === 'own') {
      return [days.from && midnight(days.from), days.to && midnight(days.to, 1)]
    }
    if (period === 'month') return [month(), month(1)]
    if (period === 'last_month') return [month(-1), month()]
    return [period && daysBack(period), null]
  }
  const choices = () => {
    const {t} = satmachine
    return [
      {value: 1, label: t('tables.today')},
      {value: 7, label: t('tables.days_7')},
      {value: 30, label: t('tables.days_30')},
      {value: 'month', label: t('statement.this_month')},
      {value: 'last_month', label: t('statement.last_month')},
      {value: 'own', label: t('tables.own_range')}
    ]
  }

  return {bounds, choices}
})()
