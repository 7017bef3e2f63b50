// What is typed into a field of an amount, read as the page's language writes numbers; the
// other way round from format.js, which it adds to.
Object.assign(
  satmachine.format,
  (() => {
    const {t} = satmachine
    const {amount, isAmount, locale, shift, split} = satmachine.format

    // Stands in a form for what was typed and could not be read: no amount at all.
    const UNREAD = '?'

    const decimalsIn = currency =>
      /^[A-Z]{3}$/.test(currency || '')
        ? new Intl.NumberFormat('en', {
            style: 'currency',
            currency
          }).resolvedOptions().maximumFractionDigits
        : null

    const numberAs = (value, options, tag = locale()) =>
      new Intl.NumberFormat(tag, {
        maximumFractionDigits: 20,
        ...options
      }).format(value)

    // The marks of thousands and decimals in this language's numbers.
    const marks = tag => {
      const parts = new Intl.NumberFormat(tag, {
        useGrouping: 'always',
        minimumFractionDigits: 1
      }).formatToParts(1234567.5)
      const of = type => parts.find(part => part.type === type)?.value || ''
      return {group: of('group'), decimal: of('decimal')}
    }

    // Thousands where the language puts them, or none at all; a space or an apostrophe
    // between them can mean nothing else in any language.
    const isGrouped = (whole, group, tag) => {
      if (/^\d*$/.test(whole)) return true
      const threes = new RegExp(
        `^[1-9]\\d{0,2}([\\s'’${group}])\\d{3}(\\1\\d{3})*$`
      )
      const digits = whole.replace(/\D/g, '')
      return (
        threes.test(whole) ||
        whole === numberAs(digits || '0', {useGrouping: 'always'}, tag)
      )
    }

    // '1,234.50' as a person of this language typed it -> {value: '1234.5'}, or
    // {value: UNREAD, problem: a sentence} for what is no number in it, or could be two:
    // 15.000 where the point is for decimals. A currency of three decimals settles that.
    const read = (typed, {isWhole = false, currency, tag = locale()} = {}) => {
      const text = String(typed ?? '').trim()
      if (!text) return {value: ''}
      const {group, decimal} = marks(tag)
      const refuse = (key, values) => ({
        value: UNREAD,
        problem: t(`amounts.${key}`, {typed: text, ...values})
      })
      const like = isWhole
        ? numberAs(1234, {useGrouping: 'always'}, tag)
        : numberAs(
            '1234.50',
            {useGrouping: 'always', minimumFractionDigits: 2},
            tag
          )
      const [whole, fraction, ...more] = text.split(decimal)
      if (
        more.length ||
        !/\d/.test(text) ||
        !isGrouped(whole, group, tag) ||
        !/^\d*$/.test(fraction || '')
      ) {
        return refuse(isWhole ? 'whole' : 'not_read', {like})
      }
      const digits = whole.replace(/\D/g, '')
      const value = shift(`${digits || '0'}.${fraction || ''}`, 0)
      if (isWhole && fraction) return refuse('whole', {like})
      if (/^[1-9]\d{0,2}$/.test(whole) && fraction?.length === 3) {
        if (decimalsIn(currency) === 3) return {value}
        const least = fraction.endsWith('0') ? 0 : 4
        return refuse('two_meanings', {
          one: numberAs(digits + fraction, {useGrouping: 'always'}, tag),
          other: numberAs(value, {minimumFractionDigits: least}, tag)
        })
      }
      return {value}
    }

    // A decimal text as it may be typed again: without marks between the thousands.
    const plain = value =>
      split(value ?? '') && /\d/.test(value)
        ? String(value).trim().replace('.', marks(locale()).decimal)
        : ''

    // An amount that was read, in words of its currency; `sats` is one here.
    const inWords = (value, currency) => {
      if (!isAmount(value || '') || !currency) return ''
      if (currency === 'sats') return amount(value)
      const decimals = (split(value)[3] || '').length
      return new Intl.NumberFormat(locale(), {
        style: 'currency',
        currency,
        minimumFractionDigits: Math.max(decimals, decimalsIn(currency)),
        maximumFractionDigits: 20
      }).format(value)
    }

    return {UNREAD, read, plain, inWords}
  })()
)
