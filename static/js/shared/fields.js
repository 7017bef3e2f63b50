// Fields as every form of the page has them. What Quasar's q-input and q-select take
// (v-model, label, hint, slots, …) they take, too; `kind` says what is entered.
//
// Of a number (kind decimal or whole) the form gets decimal text, whatever the language
// of the page writes; what cannot be read with certainty is UNREAD, which is no amount,
// and the field says why. With `currency` (or 'sats') the amount stands below in its words.
satmachine.components['sat-field'] = {
  template: '#sat-field',
  inheritAttrs: false,
  props: {kind: String, modelValue: null, currency: String, hint: String},
  emits: ['update:modelValue'],
  data() {
    return {fmt: satmachine.format, typed: '', problem: null, isAtRest: true}
  },
  computed: {
    isNumber() {
      return this.kind === 'decimal' || this.kind === 'whole'
    },
    number() {
      const {isNumber, fmt, typed, modelValue, currency, hint} = this
      if (!isNumber) return {modelValue, hint}
      const words = fmt.inWords(String(modelValue ?? ''), currency)
      const problem = this.isAtRest ? this.problem : null
      return {
        modelValue: typed,
        hideBottomSpace: true,
        error: Boolean(problem),
        errorMessage: problem || undefined,
        hint: [words, hint].filter(Boolean).join(' · ') || undefined
      }
    },
    look() {
      return {
        decimal: {inputmode: 'decimal', maxlength: 40},
        whole: {inputmode: 'numeric', maxlength: 30},
        secret: {
          type: 'password',
          maxlength: 1000,
          autocomplete: 'new-password'
        },
        notes: {type: 'textarea', autogrow: true, maxlength: 1000},
        text: {type: 'textarea', spellcheck: 'false', autocomplete: 'off'},
        date: {type: 'date', stackLabel: true}
      }[this.kind]
    }
  },
  watch: {
    // Not what was typed here: a form that is opened, a button that fills the field in.
    modelValue: {
      immediate: true,
      handler(value) {
        if (!this.isNumber || String(value ?? '') === this.sent) return
        this.sent = String(value ?? '')
        this.typed = this.fmt.plain(this.sent)
        this.problem = null
      }
    },
    currency() {
      if (this.isNumber && this.problem) this.read(this.typed)
    }
  },
  methods: {
    enter(text) {
      if (!this.isNumber) return this.$emit('update:modelValue', text)
      this.typed = String(text ?? '')
      this.isAtRest = false
      clearTimeout(this.timer)
      this.timer = setTimeout(this.rest, 800)
      this.read(this.typed)
    },
    // Nobody is told of a mistake in the middle of a number.
    rest() {
      this.isAtRest = true
    },
    read(typed) {
      const isWhole = this.kind === 'whole'
      const {currency} = this
      const {value, problem} = this.fmt.read(typed, {isWhole, currency})
      this.problem = problem || null
      this.sent = value
      this.$emit('update:modelValue', value)
    }
  },
  beforeUnmount() {
    clearTimeout(this.timer)
  }
}

// kind filter: above a table; kind find: its options are found by typing.
satmachine.components['sat-select'] = {
  template: '#sat-select',
  props: {kind: String, none: String},
  computed: {
    look() {
      return this.kind === 'find'
        ? {
            useInput: true,
            hideSelected: true,
            fillInput: true,
            inputDebounce: 0
          }
        : {
            emitValue: true,
            mapOptions: true,
            ...(this.kind === 'filter'
              ? {
                  clearable: true,
                  optionsDense: true,
                  style: 'min-width: 125px'
                }
              : {})
          }
    }
  }
}

// An amount (v-model, and what sat-field takes) with its currency (v-model:currency): one
// of `currencies`, or any.
satmachine.components['sat-money'] = {
  template: '#sat-money',
  inheritAttrs: false,
  props: {currency: String, currencies: Array},
  emits: ['update:currency']
}
