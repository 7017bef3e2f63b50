// A chart of daily figures, drawn by LNbits' own Chart.js. Its numbers are for
// drawing only: what stands in a tooltip is formatted from the exact values.
satmachine.components['sat-chart'] = {
  template: '#sat-chart',
  props: {
    // bar or line
    kind: {type: String, default: 'bar'},
    title: String,
    days: Array,
    // How a day is named, where they are no days.
    name: {type: Function, default: day => satmachine.format.day(day)},
    // Exact values, as integers or decimal text, one for each day.
    values: Array,
    // How a value is written.
    write: Function,
    height: {type: String, default: '150px'}
  },
  computed: {
    isEmpty() {
      return !this.values?.some(value => Number(value) !== 0)
    },
    // What a screen reader says instead of the picture.
    spoken() {
      if (this.isEmpty)
        return `${this.title}: ${satmachine.t('charts.nothing')}`
      return (
        `${this.title}. ` +
        this.days
          .map((date, i) => [date, this.values[i]])
          .filter(([, value]) => Number(value) !== 0)
          .slice(-7)
          .map(([date, value]) => `${this.name(date)}: ${this.write(value)}`)
          .join('; ')
      )
    }
  },
  watch: {
    values: 'draw',
    '$q.dark.isActive': 'draw',
    '$i18n.locale': 'draw'
  },
  mounted() {
    this.draw()
  },
  beforeUnmount() {
    this.chart?.destroy()
  },
  methods: {
    draw() {
      this.$nextTick(() => {
        this.chart?.destroy()
        this.chart = null
        if (this.isEmpty || !this.$refs.canvas) return
        this.chart = new Chart(this.$refs.canvas, this.settings())
      })
    },
    settings() {
      const color = Quasar.colors.getPaletteColor('primary')
      // A line through a single day would be a vertical stroke.
      const days = this.values.filter(value => Number(value) !== 0)
      const isBar = this.kind === 'bar' || days.length === 1
      return {
        type: isBar ? 'bar' : 'line',
        data: {
          labels: this.days.map(day => this.name(day)),
          datasets: [
            {
              data: this.values.map(Number),
              backgroundColor: isBar ? color : `${color}33`,
              borderColor: color,
              borderWidth: isBar ? 0 : 2,
              borderRadius: 3,
              fill: !isBar,
              stepped: isBar ? undefined : 'before',
              pointRadius: 0,
              pointHitRadius: 12
            }
          ]
        },
        options: this.options()
      }
    },
    options() {
      const {isActive} = this.$q.dark
      const text = isActive ? '#ffffffb3' : '#000000a6'
      const grid = {color: isActive ? '#ffffff1f' : '#0000001a'}
      const still = window.matchMedia(
        '(prefers-reduced-motion: reduce)'
      ).matches
      return {
        responsive: true,
        maintainAspectRatio: false,
        animation: still ? false : {duration: 400},
        interaction: {mode: 'index', intersect: false},
        plugins: {
          legend: {display: false},
          tooltip: {
            displayColors: false,
            callbacks: {label: item => this.write(this.values[item.dataIndex])}
          }
        },
        scales: {
          x: {
            grid: {display: false},
            ticks: {color: text, maxTicksLimit: 6, maxRotation: 0}
          },
          y: {
            beginAtZero: true,
            grid,
            border: {display: false},
            ticks: {
              color: text,
              maxTicksLimit: 4,
              callback: satmachine.shortNumber
            }
          }
        }
      }
    }
  }
}

// 12,500 as 12.5 k on an axis: one letter for one size, which the short forms of languages
// do not have.
satmachine.shortNumber = value => {
  const sizes = [
    [1e9, ' G'],
    [1e6, ' M'],
    [1e3, ' k'],
    [1, '']
  ]
  const [size, letter] =
    sizes.find(([size]) => Math.abs(value) >= size) || sizes[3]
  const short = new Intl.NumberFormat(satmachine.format.locale(), {
    maximumFractionDigits: 1
  })
  return short.format(value / size) + letter
}
