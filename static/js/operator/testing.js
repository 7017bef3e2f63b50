// The test of the saved connection: its steps appear one by one.
satmachine.testConnection = async () => {
  const {store} = satmachine
  store.connectionTest = {open: true, busy: true, result: null, failure: null}
  const test = store.connectionTest
  try {
    test.result = await satmachine.call('POST', '/test-connection', {})
  } catch (error) {
    test.failure = satmachine.sentence(error)
  } finally {
    test.busy = false
    satmachine.loadConfig()
    satmachine.loadOverview()
  }
}

// The method that the test found the machines to use, if it says so.
satmachine.foundMethod = result => {
  const step = result?.steps.find(each => each.name === 'commission_method')
  const match = /compute with (markup|margin)/.exec(step?.detail || '')
  return match ? match[1] : null
}

satmachine.components['sat-test-result'] = {
  template: '#sat-test-result',
  emits: ['configure'],
  data() {
    return {fmt: satmachine.format, store: satmachine.store}
  },
  computed: {
    test() {
      return this.store.connectionTest
    },
    isOpen: {
      get() {
        return Boolean(this.test)
      },
      set(open) {
        if (!open) this.store.connectionTest = null
      }
    },
    hasOtherKey() {
      const shown = this.test.result?.ssh_host_key_fingerprint
      return shown && shown !== this.store.config?.ssh_host_key_fingerprint
    },
    otherMethod() {
      const found = satmachine.foundMethod(this.test.result)
      return found && found !== this.store.config?.commission_method
    }
  }
}

satmachine.components['sat-steps'] = {
  template: '#sat-steps',
  props: {result: Object},
  data() {
    return {fmt: satmachine.format, shown: 0}
  },
  computed: {
    steps() {
      return this.result.steps.slice(0, this.shown)
    },
    isAllShown() {
      return this.shown >= this.result.steps.length
    }
  },
  watch: {
    result: {
      immediate: true,
      handler() {
        clearInterval(this.timer)
        const still = window.matchMedia('(prefers-reduced-motion: reduce)')
        this.shown = still.matches ? this.result.steps.length : 1
        this.timer = setInterval(() => {
          if (this.isAllShown) clearInterval(this.timer)
          else this.shown += 1
        }, 90)
      }
    }
  },
  beforeUnmount() {
    clearInterval(this.timer)
  }
}
