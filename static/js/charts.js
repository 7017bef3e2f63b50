// A chart of daily figures, drawn by LNbits' own Chart.js. Its numbers are for
// drawing only: what stands in a tooltip is formatted from the exact values.
satmachine.components['sat-chart'] = {
  template: '#sat-chart',
  props: {
    // bar or line
    kind: {type: String, default: 'bar'},
    title: String,
    days: Array,
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
      const {day} = satmachine.format
      return (
        `${this.title}. ` +
        this.days
          .map((date, i) => [date, this.values[i]])
          .filter(([, value]) => Number(value) !== 0)
          .slice(-7)
          .map(([date, value]) => `${day(date)}: ${this.write(value)}`)
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
      const isBar = this.kind === 'bar'
      return {
        type: this.kind,
        data: {
          labels: this.days.map(satmachine.format.day),
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
      const short = new Intl.NumberFormat(satmachine.format.locale(), {
        notation: 'compact'
      })
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
              callback: value => short.format(value)
            }
          }
        }
      }
    }
  }
}
