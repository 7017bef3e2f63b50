// The one dialog of the page: title, what it holds, why the last attempt failed, and at
// the end its buttons, with at most one that goes on. With `ok` it is a form: the button
// (or Enter) emits `submit`, unless `problem` says what is still missing.
//
//   <sat-dialog :model-value="isOpen" :title="…" :ok="$t('…save')" :problem="problem"
//     :busy="busy" :failure="failure" @submit="save" @update:model-value="close">
//     …fields…
//   </sat-dialog>
//
// Slots: the content; `sections` instead of it for whole q-card-sections; `beside` the
// title, `tools` at the end of its row, `buttons` before the last ones.
satmachine.components['sat-dialog'] = {
  template: '#sat-dialog',
  props: {
    modelValue: Boolean,
    title: String,
    // The title changes while the dialog is open, and is read out then.
    live: Boolean,
    // What a screen reader calls it; otherwise the title.
    name: String,
    text: String,
    role: {type: String, default: 'dialog'},
    icon: String,
    iconColor: String,
    // Something goes on: it turns in the icon's place.
    spinning: Boolean,
    width: {type: Number, default: 0},
    // Over all of a phone; at the right side; with a body that scrolls by itself.
    full: Boolean,
    side: Boolean,
    scroll: Boolean,
    closable: Boolean,
    persistent: Boolean,
    loading: Boolean,
    // Instead of the content: it could not be loaded. `retry` is emitted.
    missing: String,
    failure: String,
    problem: String,
    busy: Boolean,
    ok: String,
    // Whether Enter in a field is as good as the button.
    byEnter: {type: Boolean, default: true},
    okColor: {type: String, default: 'primary'},
    okIcon: String,
    // Done already: the next step is elsewhere.
    okOutline: Boolean,
    okDisable: Boolean,
    // The other button's label; '' where there is none.
    cancel: {type: String, default: () => satmachine.t('parts.cancel')}
  },
  emits: ['update:modelValue', 'submit', 'retry'],
  computed: {
    look() {
      const width = this.width ? `width: ${this.width}px; ` : ''
      const height = this.side ? 'height: 100vh; ' : ''
      return width ? `${width}${height}max-width: 100vw` : ''
    },
    // White can be read on it.
    okShade() {
      return this.okColor === 'positive' ? 'green-9' : this.okColor
    },
    hasForm() {
      return this.byEnter && Boolean(this.ok)
    }
  },
  methods: {
    submit() {
      if (!this.problem && !this.busy) this.$emit('submit')
    }
  }
}

// What a form that is sent needs: `attempt(job)` runs it once at a time and keeps the
// sentence of its failure.
satmachine.attempts = {
  data() {
    return {busy: false, failure: null}
  },
  methods: {
    async attempt(job) {
      if (this.busy) return
      this.busy = true
      this.failure = null
      try {
        await job()
      } catch (error) {
        this.failure = satmachine.sentence(error)
      } finally {
        this.busy = false
      }
    }
  }
}
