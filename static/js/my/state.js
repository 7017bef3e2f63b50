// My DCA: what the server knows of the visitor's own saving, and how it changes.
satmachine.my = (() => {
  const {call, store, sentence} = satmachine

  const state = Vue.reactive({
    // How one may register, and what the visitor has already: GET /registration.
    registration: null,
    // The client that is shown: GET /me; null for somebody who is none yet.
    me: null,
    // Whoever has left may fill in the form once more.
    again: false,
    loaded: false,
    failure: null
  })

  // An address below /me, of the client that is shown.
  const path = (suffix = '', more = {}) =>
    `/me${suffix}?${new URLSearchParams({client_id: state.me.id, ...more})}`

  const known = registration => registration.clients || []

  // The one asked for, else the one that takes part, else the last that did.
  const chooseId = (registration, id) =>
    known(registration).find(client => client.id === id)?.id ||
    registration.client_id ||
    known(registration)[0]?.id

  const load = async id => {
    try {
      const registration = await call('GET', '/registration')
      const chosen = chooseId(registration, id || state.me?.id)
      const me = chosen
        ? await call('GET', `/me?${new URLSearchParams({client_id: chosen})}`)
        : null
      const isNew = JSON.stringify(me) !== JSON.stringify(state.me)
      Object.assign(state, {registration, me, failure: null})
      if (isNew) store.changes += 1
    } catch (error) {
      state.failure = sentence(error)
    }
    state.loaded = true
  }

  const register = async data => {
    const me = await call('POST', '/registration', data)
    state.again = false
    await load(me.id)
  }

  const update = async data => {
    state.me = await call('PUT', path(), data)
    store.changes += 1
  }

  return {state, path, load, register, update}
})()
