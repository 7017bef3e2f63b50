// The page's texts in Spanish, as spoken in Guatemala (usted). Same keys as en.js.
satmachine.messages.es = {
  alert_kinds: {
    books_differ: 'Los libros no cuadran',
    cash_not_covered: 'Falta efectivo',
    cash_running_out: 'El efectivo se agota',
    client_pending: 'Un cliente espera aprobación',
    clocks_differ: 'Los relojes difieren',
    deposit_unconfirmed: 'Depósitos por confirmar',
    forwards_failing: 'Fallan los reenvíos',
    machine_silent: 'Una máquina no responde',
    payments_failed: 'Pagos fallidos',
    polls_failing: 'Fallan las consultas',
    sales_waiting: 'Ventas esperan su decisión',
    secrets_unreadable: 'No se pueden leer los secretos',
    source_wallet_low: 'Saldo bajo en la billetera de origen'
  },
  alerts: {
    alerts: 'Avisos',
    began: 'Empezó',
    digest: 'Resumen',
    digest_daily: 'Cada día',
    digest_hour: 'A esta hora (0 a 23)',
    digest_off: 'Ninguno',
    digest_weekly: 'Cada lunes',
    ended: 'Terminó',
    go: 'Ir allí',
    letters: 'Webhook: {n} mensajes esperan, {lost} se abandonaron. {error}',
    none: 'Ningún aviso hasta ahora',
    none_text:
      'Cuando algo le necesite, estará aquí, y LNbits avisa a sus administradores.',
    not_told: 'Todavía no',
    open: 'Abierto',
    saved: 'Ajustes de avisos guardados',
    search: 'Buscar avisos',
    secret_kept: 'Secreto (guardado; vacío lo conserva)',
    set_cash_lasts_days: 'El efectivo dura menos de (días)',
    set_machine_silent_hours: 'Máquina callada durante (horas)',
    set_source_wallet_below_sats: 'Billetera de origen por debajo de (sats)',
    set_waiting_hours: 'Algo espera durante (horas)',
    settings: 'Ajustes de avisos',
    settings_text:
      'Desde cuándo algo es un aviso. A quién se avisa, por Telegram, Nostr o correo, se ajusta en LNbits en Ajustes, Notificaciones.',
    test: 'Guardar y enviar una prueba',
    told: 'Avisado',
    webhook_events: 'También cada depósito, venta, pago fallido y reenvío',
    webhook_hint: 'Recibe un POST firmado por cada aviso',
    webhook_secret: 'Secreto que lo firma',
    webhook_url: 'Dirección del webhook',
    what: 'Qué',
    whole_numbers: 'Los límites son números enteros.'
  },
  amounts: {
    not_read: 'Esto no se lee como número. Escríbalo así: {like}.',
    two_meanings: '{typed} puede ser {one} o {other}. Escriba uno de los dos.',
    whole: 'Tiene que ser un número entero, por ejemplo {like}.'
  },
  archive: {
    archived: 'Partes en el archivo',
    done: 'Archivado: {shares}',
    free: 'De ellos libres para filas nuevas, MB',
    go: 'Archivar partes antiguas',
    megabytes: 'Todas las tablas, MB',
    open: 'Partes que podrían archivarse, hasta {month}',
    question_text:
      'Todas las ventas hasta el final de este mes. Puede tardar minutos; las consultas y los pagos siguen mientras tanto. Puede cerrar la página: lo archivado queda así, y la próxima vez continúa.',
    text: 'Las partes de ventas liquidadas de hace más de un año pueden guardarse en la cuarta parte del espacio o menos. Nada se pierde: listas, estados de cuenta, exportaciones e informes las muestran como antes.',
    title: 'Partes antiguas',
    until: 'Hasta el mes'
  },
  audit: {
    action: 'Acción',
    action_or_id: 'Acción o id',
    audit: 'Auditoría',
    export: 'Exportar el registro de auditoría',
    nothing_yet: 'Nada todavía',
    search_audit: 'Buscar en el registro de auditoría',
    time: 'Hora',
    what_admins_change:
      'Aquí aparece lo que los administradores agregan, cambian, confirman, reintentan, anulan y deciden.',
    no: 'no',
    said: '{who}: {action} ({whose})',
    yes: 'sí'
  },
  audit_fields: {
    accept_terms: 'Condiciones',
    amount: 'Monto',
    another_database: 'Otra base de datos',
    base_amount_sats: 'Base (sats)',
    by: 'Hasta el',
    cash_lasts_days: 'El efectivo dura (días)',
    cash_low: 'El efectivo se agota',
    client_id: 'Cliente',
    commission_amount_sats: 'Comisión (sats)',
    commission_method: 'Método de comisión',
    commission_percentage: 'Comisión',
    commission_wallet_id: 'Billetera de comisiones',
    confirmed_at: 'Confirmado',
    created_at: 'Registrado',
    credit_source_wallet: 'Acreditación de la billetera de origen',
    crypto_amount_sats: 'Sats de la venta',
    currency: 'Moneda',
    database_name: 'Base de datos',
    database_number: 'Número de la base de datos',
    database_since: 'Otra base de datos desde',
    dca_mode: 'Modo',
    deposit_confirmed: 'Depósito confirmado',
    deposit_instructions: 'Dónde entregar el efectivo',
    destination: 'Destino',
    device_id: 'Máquina',
    device_ids: 'Máquinas',
    digest: 'Resumen',
    digest_hour: 'Hora del resumen',
    direction: 'Dirección',
    discount: 'Descuento',
    error: 'Error',
    exchange_rate: 'Cotización',
    fiat: 'Efectivo',
    fiat_amount: 'Efectivo',
    fiat_code: 'Moneda',
    fixed_mode_daily_limit: 'Límite diario',
    forward_failed: 'Reenvío fallido',
    forwarding: 'Reenvíos',
    from: 'Desde',
    goal_reached: 'Meta alcanzada',
    host: 'Servidor',
    id: 'Id',
    is_active: 'Consulta automática',
    largest_daily_limit: 'Límite diario máximo',
    last_forward: 'Enviar lo que queda',
    look_back_days: 'Días hacia atrás',
    machine_silent_hours: 'Máquina callada (horas)',
    max_sats_per_poll: 'Tope por consulta',
    max_sats_per_transaction: 'Tope por venta',
    name: 'Nombre',
    notes: 'Notas',
    operator_address: 'Dirección del operador',
    operator_name: 'Nombre del operador',
    password: 'Contraseña',
    payout_min_sats: 'Pago más pequeño',
    payout_schedule: 'Pagos',
    payout_time: 'Hora del pago',
    payout_weekday: 'Día del pago',
    percent: 'Porcentaje',
    poll_interval_minutes: 'Consulta cada (minutos)',
    port: 'Puerto',
    reason: 'Motivo',
    registration: 'Registro',
    sats: 'Sats',
    secrets_entered: 'Secretos ingresados',
    smallest_daily_limit: 'Límite diario mínimo',
    smallest_forward_sats: 'Reenvío más pequeño (sats)',
    source_wallet_below_sats: 'Billetera de origen por debajo de (sats)',
    source_wallet_id: 'Billetera de origen',
    ssh_host: 'Servidor SSH',
    ssh_host_key_fingerprint: 'Clave del servidor SSH',
    ssh_password: 'Contraseña SSH',
    ssh_port: 'Puerto SSH',
    ssh_private_key: 'Clave privada SSH',
    ssh_private_key_passphrase: 'Frase de contraseña de la clave SSH',
    ssh_username: 'Usuario SSH',
    ssl_ca_certificate: 'Certificado de la CA',
    ssl_mode: 'TLS',
    statement_ready: 'Estado de cuenta listo',
    status: 'Estado',
    terms: 'Condiciones',
    terms_hash: 'Condiciones',
    threshold_sats: 'Sats desde los que se envían',
    timezone: 'Zona horaria',
    to: 'Hasta',
    until: 'Hasta el mes',
    use_ssh_tunnel: 'Túnel SSH',
    user_id: 'Usuario',
    username: 'Nombre',
    waiting_hours: 'En espera (horas)',
    wallet_id: 'Billetera',
    webhook_events: 'Avisos del webhook',
    webhook_secret: 'Secreto del webhook',
    webhook_url: 'Webhook'
  },
  audit_said: {
    terms_accepted: '{who} aceptó las condiciones ({whose})',
    adopted_payment_closed:
      '{who} cerró un pago que no corresponde a ninguna venta',
    alert_settings_saved: '{who} guardó los ajustes de los avisos',
    cash_counted: '{who} contó el efectivo de la máquina {whose}',
    client_added: '{who} agregó al cliente {whose}',
    client_changed: '{who} cambió al cliente {whose}',
    client_settled_out: '{who} liquidó a {whose} en sats',
    configuration_saved: '{who} guardó la configuración',
    deposit_added: '{who} registró un depósito de {whose}',
    deposit_confirmed: '{who} confirmó un depósito de {whose}',
    deposit_rejected: '{who} rechazó un depósito de {whose}',
    forward_closed: '{who} cerró un reenvío como no pagado',
    forward_retried: '{who} reintentó un reenvío',
    forwarding_set: '{who} definió adónde se reenvían sus sats ({whose})',
    forwarding_switched_off: '{who} desactivó el reenvío ({whose})',
    goal_saved: '{who} guardó la meta de {whose}',
    lost_payment_paid_again:
      '{who} hizo pagar de nuevo un pago perdido a {whose}',
    lost_payments_paid_again: '{who} hizo pagar de nuevo pagos perdidos',
    machine_named: '{who} dio nombre a la máquina {whose}',
    note_added: '{who} anotó algo en la venta {whose}',
    notices_saved: '{who} eligió de qué se avisa a {whose}',
    partner_added: '{who} agregó a un socio',
    partner_changed: '{who} cambió a un socio',
    payment_retried: '{who} reintentó el pago a {whose}',
    payment_voided: '{who} anuló el pago a {whose}',
    payments_adopted: '{who} adoptó pagos anteriores',
    programme_changed: '{who} cambió el programa',
    review_dismissed: '{who} descartó la venta {whose}',
    review_distributed: '{who} repartió la venta {whose}',
    sale_taken_back: '{who} retiró la venta {whose}',
    shares_archived: '{who} archivó las partes hasta {whose}',
    test_transaction_executed: '{who} ejecutó una transacción de prueba',
    transaction_retried: '{who} reintentó los pagos de la venta {whose}',
    withdrawal_added: '{who} devolvió efectivo a {whose}'
  },
  base: {
    lnbits_did_not_answer_is:
      'LNbits no respondió. ¿Está en marcha, y tiene conexión?',
    no_reason: 'El servidor respondió {status} sin dar un motivo.'
  },
  charts: {
    nothing: 'Nada todavía'
  },
  checklist: {
    key_beside_data:
      'LNbits guarda su clave secreta en su carpeta de datos (.lnbits_auth_key): una copia de la carpeta contiene también la clave de las contraseñas guardadas. Ponga su contenido en AUTH_SECRET_KEY en el entorno de LNbits, borre el archivo y guarde la clave aparte de las copias.',
    bodies_logged:
      'LNbits guarda en su registro el contenido de las peticiones: las contraseñas que se escriben aquí quedan allí a la vista. Como superusuario, desactívelo en Ajustes, Auditoría, o excluya las rutas /satmachineclient/.*; lo ya anotado se queda los días que estén fijados allí.',
    client: 'Primer cliente',
    client_action: 'Agregar un cliente',
    client_text:
      'Quien le entregó efectivo, con la billetera de LNbits que recibe los sats.',
    connection: 'Conexión',
    connection_action: 'Configurar',
    connection_text:
      'Cómo llega LNbits a la base de datos de la máquina, y qué billeteras usa.',
    deposit: 'Primer depósito',
    deposit_action: 'Agregar un depósito',
    deposit_confirm: 'Confirmarlo',
    deposit_text: 'El efectivo que entregó el cliente.',
    deposit_waiting:
      'Registrado. Confírmelo cuando el efectivo esté en la máquina.',
    done: 'Listo',
    new_wallet: 'Billetera nueva',
    new_wallet_text:
      'Una billetera propia de LNbits, para los sats de la máquina o para su comisión.',
    poll: 'Primera consulta',
    poll_action: 'Consultar ahora',
    poll_text: 'Lee las ventas de la máquina y paga a los clientes su parte.',
    progress: '{n} de {all} listos',
    test: 'Prueba',
    test_action: 'Probarla',
    test_text:
      'Recorre todo el camino hasta las ventas de la máquina, y dice qué falta.',
    title: 'De cero al primer pago',
    to_do: 'Por hacer',
    wallet_default: 'Máquina: origen',
    wallet_made: 'Billetera creada',
    wallet_name: 'Nombre de la billetera',
    wallets: 'Billeteras',
    wallets_action: 'Crear una billetera',
    wallets_text:
      'Una billetera paga a los clientes, otra puede reunir su comisión.'
  },
  client_dialog: {
    their_wallet: 'Su billetera',
    no_such_user: 'Ningún usuario con ese nombre',
    user: 'Usuario de LNbits',
    of_a_user: 'De un usuario',
    a_wallet_by_its_id: 'Por su id',
    add_client: 'Agregar cliente',
    choose_a_wallet: 'Elija una billetera.',
    choose_the_currency_of_the: 'Elija la moneda del límite.',
    client: 'Cliente',
    client_added: 'Cliente agregado',
    client_saved: 'Cliente guardado',
    daily_limit: 'Límite diario',
    edit_client: 'Editar cliente',
    enter_a_daily_limit_with: 'Ingrese un límite diario.',
    fixed_the_same_up_to: 'Fijo: lo mismo, hasta un límite diario',
    flow_a_share_of_every: 'Flujo: una parte de cada venta, según el saldo',
    how_you_recognise_this_client: 'Cómo reconoce usted a este cliente',
    mode: 'Modo',
    my_wallet: 'Mi billetera',
    name: 'Nombre',
    one_of_my_wallets: 'Una mía',
    save: 'Guardar',
    the_client_finds_it_on:
      'El cliente lo encuentra en la página de su billetera en LNbits',
    wallet_id: 'Id de la billetera',
    wallet_that_receives_the_sats: 'Billetera que recibe los sats'
  },
  client_drawer: {
    accepted: 'Aceptó las condiciones {hash} el {time}',
    terms: 'Condiciones aceptadas',
    asks_to_take_part: 'Este cliente se registró y espera su respuesta.',
    average_price: 'Precio promedio',
    balance_in: 'Saldo en {currency}, últimos 30 días',
    client: 'Cliente',
    closed_with_cash:
      'Cerrado con {left} de saldo: páguelo en sats o devuélvalo.',
    deposits: 'Depósitos',
    no_payments: 'Aún no hay pagos',
    open_sale: 'Abrir la venta',
    paused_themselves: 'El cliente se puso en pausa y reanuda cuando quiera.',
    payments: 'Pagos',
    per_bitcoin: 'Moneda local por bitcoin, de todo lo pagado',
    statement: 'Estado de cuenta en un archivo'
  },
  clients: {
    idle: '{amount} no compra nada: otra moneda',
    left_with_cash: 'Se fue con efectivo',
    wallet_gone: 'Sin billetera, en espera',
    wallet_gone_text:
      'La billetera o su usuario ya no existe: este efectivo no compra nada hasta que haya otra billetera',
    a_clients_cash_buys_sats:
      'El efectivo de un cliente compra sats con cada venta de la máquina. Agregue al primer cliente con la billetera de LNbits que recibe los sats.',
    a_paused_client_takes_no:
      'Un cliente en pausa no participa en las distribuciones. El saldo queda igual hasta que lo reanude.',
    add_a_deposit: 'Agregar un depósito',
    add_client: 'Agregar cliente',
    add_the_first_client: 'Agregar el primer cliente',
    approve: 'Aprobar',
    approve_label: 'Aprobar a {name}',
    approve_name: '¿Aprobar a {name}?',
    approve_text:
      'El cliente participa desde ahora: registre y confirme depósitos como con cualquier otro.',
    asked: 'Lo pidió',
    balance_left: 'Saldo restante',
    by_the_client: 'por el cliente',
    client: 'Cliente',
    clients: 'Clientes',
    close: 'Cerrar',
    close_client: 'Cerrar cliente',
    close_name: '¿Cerrar a {name}?',
    deposit_for: 'Agregar un depósito para {name}',
    edit: 'Editar',
    edit_name: 'Editar a {name}',
    export: 'Exportar clientes',
    fixed: 'Fijo: hasta {amount} al día',
    flow: 'Flujo',
    for_a_client_who_has:
      'Para un cliente que se fue: ya no participa en las distribuciones. Los depósitos y pagos quedan en los registros.',
    is_now: '{name}: {state}',
    left_of_deposits: 'Queda de los depósitos',
    mode: 'Modo',
    more_for: 'Más para {name}',
    name_or_wallet_id: 'Nombre o id de billetera',
    no_clients_yet: 'Aún no hay clientes',
    pause: 'Pausar',
    pause_name: '¿Pausar a {name}?',
    refuse: 'Rechazar',
    refuse_label: 'Rechazar a {name}',
    refuse_name: '¿Rechazar a {name}?',
    refuse_text:
      'Verá que no participa. Puede registrarse otra vez mientras el registro no esté cerrado.',
    resume: 'Reanudar',
    resume_name: '¿Reanudar a {name}?',
    sats_so_far: 'Sats hasta ahora',
    search_clients: 'Buscar clientes',
    status: 'Estado',
    the_client_takes_part_in:
      'El cliente vuelve a participar en las distribuciones, con el saldo que le queda.',
    to_settle: 'queda efectivo por liquidar',
    wallet_id: 'id de la billetera'
  },
  held: {
    title: 'Retenido hasta que usted decida',
    text: 'Se restauró una copia anterior de una base de datos. Nada de esto se paga por sí solo.',
    who: 'Para',
    kind: 'Qué',
    sats: 'Sats',
    since: 'Desde',
    why: 'Por qué',
    sale: 'Venta',
    state: 'Estado',
    client: 'Parte del cliente',
    partner: 'Parte del socio',
    credit: 'Acreditación',
    commission: 'Comisión',
    held: 'Retenido',
    unclear: 'Pagado, no encaja',
    lost: 'Perdido por LNbits',
    lost_reason: 'Confirmado aquí, pero LNbits ha perdido el pago.',
    lost_asked:
      'LNbits paga estos sats una vez más, con todo lo que viajó en el mismo pago.',
    pay_asked:
      'LNbits ya ha pagado algo por esta venta. Se paga otra vez solo porque usted lo dice.',
    pay: 'Pagar',
    void: 'Anular',
    close: 'Cerrar',
    close_title: '¿Cerrar este pago?',
    close_text:
      'Se revisó y no queda nada por hacer. Los libros ya no lo muestran como diferencia.',
    reason: 'Motivo',
    done: 'Hecho',
    pay_title: '¿Pagarlo de todos modos?',
    pay_sale: '¿Pagar lo retenido de esta venta?',
    void_title: '¿Anular esta parte?',
    void_text:
      'Su efectivo vuelve a ser del cliente y sus sats quedan sin distribuir.',
    operator: 'Operador'
  },
  config_dialog: {
    another_database: '¿La base de datos de otra máquina?',
    another_database_asked:
      'Desde la próxima consulta, los identificadores de sus ventas cuentan aparte de los conocidos. Dígalo solo de la base de datos de otra máquina o de una que se instaló de nuevo, nunca de la misma base de datos en otro lugar. Las ventas conocidas por identificador y montos no se reparten otra vez en ningún caso; un identificador conocido con otros montos, de antes de ahora, espera su decisión.',
    save_as_another: 'Guardar como otra base de datos',
    accept_this_key: 'Aceptar esta clave',
    back: 'Atrás',
    compare:
      'Compárela en el propio servidor SSH, con: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub. Acéptela solo si ambas son iguales.',
    configuration_saved: 'Configuración guardada',
    configure_database: 'Configurar base de datos',
    connection: 'Conexión',
    credit_the_source_wallet: '¿Abonar a la billetera de origen?',
    for_every_sale_read_from:
      'Por cada venta leída de la máquina, LNbits suma sus sats a la billetera de origen, solo por la palabra de la base de datos de la máquina. Enciéndalo solo si esos sats de verdad llegan al nodo de este LNbits fuera de la billetera.',
    host_key_accepted_test_again:
      'Clave aceptada. Pruebe de nuevo y luego guarde.',
    next: 'Siguiente',
    polling: 'Consultas',
    save: 'Guardar',
    save_with_crediting: 'Guardar con abono',
    ssh_host_key: 'Clave del servidor SSH',
    ssh_tunnel: 'Túnel SSH',
    test_connection: 'Probar conexión',
    testing_the_connection: 'Probando la conexión…',
    the_ssh_server_shows_a:
      'El servidor SSH muestra una clave distinta de la aceptada',
    the_ssh_server_shows_this: 'El servidor SSH muestra esta clave',
    wallets: 'Billeteras'
  },
  config_form: {
    ceiling_number: 'Un tope es un número entero de sats, o vacío.',
    choose_a_time_zone: 'Elija una zona horaria.',
    choose_the_source_wallet: 'Elija la billetera de origen.',
    enter_the_database_host: 'Ingrese el servidor de la base de datos.',
    enter_the_database_name: 'Ingrese el nombre de la base de datos.',
    enter_the_database_user: 'Ingrese el usuario de la base de datos.',
    enter_the_ssh_host: 'Ingrese el servidor SSH.',
    enter_the_ssh_user: 'Ingrese el usuario SSH.',
    look_back_1_to_365: 'Mire atrás de 1 a 365 días.',
    paste_the_ca_certificate_to:
      'Pegue el certificado de la CA para verificar.',
    poll_every_1_to_1440: 'Consulte cada 1 a 1440 minutos.',
    port_a_number_up_to: 'Puerto: un número hasta 65535.',
    set_leave_empty_to_keep: 'Guardada. Déjela vacía para conservarla',
    ssh_port_a_number_up: 'Puerto SSH: un número hasta 65535.',
    the_stored_one_cannot_be:
      'La guardada ya no se puede leer: ingrésela de nuevo',
    the_way_there_changed_enter: 'El camino cambió: ingrésela de nuevo'
  },
  config_steps: {
    another_database: 'Esta es la base de datos de otra máquina',
    another_database_text:
      'Apagado: la misma base de datos se mudó y sus ventas siguen siendo las conocidas. Encendido: una base de datos que aquí nunca se leyó; los identificadores de sus ventas cuentan aparte.',
    database_moved: 'La base de datos se lee ahora en otro lugar.',
    ceiling_suggested:
      'Se acredita cada venta: un tope algo por encima de la mayor limita lo que puede crear una fila falsa',
    remove_secret: 'Quitar lo guardado',
    both_directions: 'Ambas',
    cash_ins: 'Entradas de efectivo: clientes de la calle que compran bitcoin',
    cash_ins_text:
      'Una entrada de efectivo se reparte al precio del propio comprador: lo que la máquina envió, por el efectivo que se introdujo. Su comisión es la que cobró la máquina. Nunca se abona: la billetera de origen debe tener los sats. El usuario lector necesita permiso sobre cash_in_txs (vea Conexión; la prueba de conexión dice qué falta).',
    cash_outs: 'Salidas de efectivo: clientes de la calle que venden bitcoin',
    direction: 'Ventas que se reparten',
    direction_hint:
      'Las salidas sacan de la máquina el efectivo de los clientes; las entradas son para quien compra cada vez que alguien compra',
    direction_warning:
      'Esto agrega ventas que hasta ahora no se tocaban. Las de los días hacia atrás ({days} antes de la última consulta exitosa) que aún no se conocen también se reparten con la próxima consulta.',
    method_of_cash_outs:
      'Solo de las salidas: la comisión de una entrada es la que cobró su máquina',
    ceiling_poll: 'Máximo de sats en una consulta (opcional)',
    ceiling_hint: 'Lo que lo pase espera a una persona',
    ceiling_sale: 'Máximo de sats en una venta (opcional)',
    a_user_that_can_only: 'Basta un usuario que solo pueda leer',
    accepted_host_key: 'Clave del servidor aceptada',
    always_any_certificate: 'Siempre, cualquier certificado',
    always_certificate_checked: 'Siempre, con certificado verificado',
    as_the_ssh_server_sees: 'Como lo ve el servidor SSH, a menudo 127.0.0.1',
    before_the_last_poll_that: 'Antes de la última consulta exitosa',
    ca_certificate_pem: 'Certificado de la CA (PEM)',
    commission_method: 'Método de comisión',
    commission_wallet_optional: 'Billetera de comisión (opcional)',
    copy_sql: 'Copiar',
    credit_the_source_wallet_with: 'Abonar cada venta a la billetera de origen',
    database_host: 'Servidor de la base de datos',
    database_name: 'Nombre de la base de datos',
    days: 'días',
    encryption_to_the_database_tls: 'Cifrado hacia la base de datos (TLS)',
    every: 'Cada',
    how_your_machines_compute_it: 'Cómo la calculan sus máquinas',
    instead_of_a_private_key: 'En lugar de una clave privada',
    lnbits_connects_to_the_database:
      'LNbits se conecta directamente a la base de datos. Úselo solo dentro de una red privada, o con TLS.',
    look_back: 'Mirar atrás',
    margin_base_total_1_rate:
      'Margen: base = total × (1 − tasa), menos la tarifa fija',
    markup_base_total_1_rate: 'Recargo: base = total / (1 + tasa)',
    minutes: 'minutos',
    name_or_ip_address: 'Nombre o dirección IP',
    no_host_key_accepted_for:
      'Aún no se aceptó una clave de este servidor SSH. Presione Probar conexión para verla.',
    off: 'Apagado',
    off_the_source_wallet_has:
      'Apagado: la billetera de origen tiene que tener los sats. Los pagos que no alcanza a cubrir esperan y se intentan de nuevo.',
    on_before_a_sale_is:
      'Encendido: antes de repartir una venta, sus sats se suman a la billetera de origen. El saldo se crea por la palabra de la base de datos de la máquina, así que los sats tienen que llegar al nodo de este LNbits por otro camino.',
    only_if_the_key_has: 'Solo si la clave tiene una',
    only_the_super_user_can: 'Solo el superusuario puede encenderlo.',
    passphrase_of_the_key: 'Frase de la clave',
    password: 'Contraseña',
    paste_it_or_choose_its: 'Péguela, o elija su archivo',
    pays_the_clients_and_the: 'Paga a los clientes y la comisión',
    poll_automatically: 'Consultar automáticamente',
    port: 'Puerto',
    private_key: 'Clave privada',
    private_key_from_a_file: 'Clave privada de un archivo',
    reach_the_database_through_an: 'Llegar a la base de datos por un túnel SSH',
    reader_sql: 'Un usuario de la base de datos con los mínimos permisos',
    reader_sql_text:
      'Ejecútelo como dueño de la base de datos de la máquina, con una contraseña propia. El usuario puede leer de qué constan las ventas, y nada sobre los compradores.',
    source_wallet: 'Billetera de origen',
    ssh_host: 'Servidor SSH',
    ssh_password: 'Contraseña SSH',
    ssh_port: 'Puerto SSH',
    ssh_user_name: 'Usuario SSH',
    test_tells_method:
      'La prueba de conexión compara ambos métodos con las ventas de las máquinas, y dice cuál corresponde.',
    this_file_is_too_large:
      'Este archivo es demasiado grande para una clave privada.',
    time_zone: 'Zona horaria',
    use_it: 'Usar {method}',
    user_name: 'Usuario',
    when_a_day_begins_for: 'Cuándo empieza un día, para los límites diarios',
    when_the_server_offers_it: 'Cuando el servidor lo ofrece',
    without_one_the_commission_stays:
      'Sin una, la comisión queda en la billetera de origen'
  },
  count: {
    client_many: '{n} clientes',
    client_one: '{n} cliente',
    day_many: '{n} días',
    day_one: '{n} día',
    deposit_many: '{n} depósitos',
    deposit_one: '{n} depósito',
    difference_many: '{n} diferencias',
    difference_one: '{n} diferencia',
    minute_many: '{n} minutos',
    minute_one: '{n} minuto',
    payment_many: '{n} pagos',
    payment_one: '{n} pago',
    record_many: '{n} registros',
    record_one: '{n} registro',
    sale_many: '{n} ventas',
    sale_one: '{n} venta',
    share_many: '{n} partes',
    share_one: '{n} parte',
    sats: '{n} sats'
  },
  currency: {
    currency: 'Moneda'
  },
  deposit_dialog: {
    any_machine: 'Cualquier máquina',
    machine: 'Dónde está el efectivo',
    machine_hint:
      'El efectivo de una máquina solo sale con las ventas de esa máquina',
    add_deposit: 'Agregar depósito',
    amount_of_cash: 'Monto en efectivo',
    choose_a_client: 'Elija un cliente.',
    choose_a_currency: 'Elija una moneda.',
    client: 'Cliente',
    confirm_it_once_the_cash:
      'Confírmelo cuando el efectivo esté en la máquina',
    enter_an_amount_with_a: 'Ingrese un monto.',
    no_such_client: 'No existe ese cliente',
    notes_optional: 'Notas (opcional; el cliente las ve)',
    recorded: 'Depósito de {amount} registrado',
    the_deposit_is_recorded_as:
      'El depósito se registra como pendiente. Confírmelo cuando el efectivo esté en la máquina.'
  },
  deposits: {
    a_deposit_belongs_to_a:
      'Un depósito pertenece a un cliente: agregue el primer cliente y luego registre el efectivo que entrega.',
    add_deposit: 'Agregar depósito',
    add_the_first_deposit: 'Agregar el primer depósito',
    amount: 'Monto',
    client: 'Cliente',
    confirm_deposit: 'Confirmar depósito',
    confirm_once_the_cash_is:
      'Confirme cuando el efectivo esté físicamente en la máquina. Desde entonces es parte del saldo del cliente, y las ventas posteriores se reparten según él. Un depósito confirmado no se puede deshacer.',
    confirm_the_cash_is_in: 'Confirmar: el efectivo está en la máquina',
    confirm_this_deposit: '¿Confirmar este depósito?',
    confirmed_total: 'Confirmado',
    deposit_confirmed: 'Depósito confirmado',
    deposit_rejected: 'Depósito rechazado',
    deposits: 'Depósitos',
    export: 'Exportar depósitos',
    from: 'de {name}',
    go_to_clients: 'Ir a clientes',
    kept_in_the_deposits_notes: 'Se guarda en las notas del depósito',
    newest_of:
      'Los {n} más recientes. Para verlos todos, filtre la tabla por Pendiente.',
    no_deposits_yet: 'Aún no hay depósitos',
    notes: 'Notas',
    notes_or_currency: 'Notas o moneda',
    pending_total: 'Pendiente',
    reason: 'Motivo',
    recorded: 'Registrado',
    reject: 'Rechazar',
    reject_deposit: 'Rechazar depósito',
    reject_this_deposit: '¿Rechazar este depósito?',
    search_deposits: 'Buscar depósitos',
    status: 'Estado',
    the_deposit_stays_in_the:
      'El depósito queda en los registros como rechazado y no suma nada al saldo del cliente. No se puede deshacer.',
    to_confirm: 'Por confirmar',
    when_a_client_hands_you:
      'Cuando un cliente le entregue efectivo, regístrelo aquí. Cuando el efectivo esté en la máquina, confírmelo: desde entonces participa en las ventas.',
    withdrawal: 'Retiro'
  },
  differences: {
    adopted: 'Pago adoptado',
    archive: 'Archivo',
    balance: 'Saldo',
    commission: 'Comisión',
    forward: 'Reenvío',
    lnbits_payment: 'Pago de LNbits',
    lost: 'Pago perdido',
    payment: 'Parte de un cliente',
    payout: 'Pago',
    transaction: 'Venta',
    transfer: 'Abono o comisión'
  },
  directions: {
    cash_in: 'Entrada de efectivo',
    cash_out: 'Salida de efectivo',
    settle_out: 'Liquidación'
  },
  export: {
    as: '{what} en {form}',
    for_spreadsheets: 'Para hojas de cálculo',
    saved: 'Guardado: {file}'
  },
  format: {
    client: 'Cliente {id}',
    any_moment: 'en cualquier momento',
    just_now: 'ahora mismo',
    never: 'nunca',
    wallet: 'Billetera {id}',
    wallet_option: '{name} ({n} sats)'
  },
  forwards: {
    close: 'Cerrar como no pagado',
    close_reason: 'Lo que vio en el nodo',
    close_text:
      'Solo si su nodo dice que no pagó este hash de pago, o no lo conoce. Si allí sigue en camino, se paga dos veces. Los sats vuelven a esperar y salen con el siguiente reenvío.',
    close_this: '¿Cerrar este reenvío como no pagado?',
    closed: 'Cerrado; sus sats vuelven a esperar',
    export: 'Exportar los reenvíos',
    forwards: 'Reenvíos',
    none_text:
      'Los clientes y los socios pueden reenviar sus sats a una billetera propia: lo configuran en Mi DCA.',
    partner: 'Socio',
    payment_hash: 'Hash del pago',
    retried: 'Se intenta de nuevo ahora',
    search: 'Buscar en los reenvíos',
    search_hint: 'Destino, hash del pago, palabras de un error',
    whose: 'De quién'
  },
  index: {
    to_settle: '{what} por liquidar',
    differences: '{what} en los libros',
    failed: '{what} con fallo',
    overview: 'Resumen',
    secrets: 'Secretos guardados por ingresar de nuevo',
    to_approve: '{what} por aprobar',
    to_confirm: '{what} por confirmar',
    to_review: '{what} por revisar',
    waiting: '{what} en espera',
    waiting_for_you: 'Le esperan',
    what_to_show: 'Qué mostrar'
  },
  machines: {
    amount_counted: 'Monto contado, en {currency}',
    anywhere: 'en cualquier máquina {amount}',
    as_of: 'Al {time}',
    believed: 'Según los conteos de Lamassu',
    cash_in: 'Efectivo en {currency}',
    count_cash: 'Contar el efectivo',
    count_cash_of: 'Contar el efectivo de {name}',
    count_text:
      'Lo que hay ahora en la máquina. Se anota junto a lo que Lamassu cree, y no cambia ningún saldo.',
    count_written: 'El conteo quedó anotado',
    counted: 'Contado por una persona',
    counted_at: 'contado {amount} {ago}',
    counts: 'Conteos',
    covered: 'Cubierto',
    difference: 'Diferencia {amount}',
    ever: 'Desde siempre',
    export: 'Exportar los conteos',
    in_it: 'En ella',
    last_sale: 'Última venta',
    lasts: 'alcanza {days}',
    lasts_at_pace: 'Alcanza {days} a {pace} por día',
    machines: 'Máquinas',
    machines_appear_here:
      'Una máquina aparece aquí cuando Lamassu o una de sus ventas la ha nombrado. Pulse Consulta manual para leerlas ahora.',
    no_machine_yet: 'Todavía ninguna máquina',
    not_paired: 'Ya no está emparejada',
    online: 'En línea {ago}',
    owed: 'Se debe a los clientes',
    owed_here: 'Efectivo de clientes en ella',
    own_name: 'Su nombre para ella',
    rename: 'Cambiar el nombre',
    rename_of: 'Cambiar el nombre de {name}',
    rename_text: 'Si queda vacío, se llama {name}.',
    sold: '{sales}, {sats}',
    this_month: 'Este mes',
    unknown_notes: 'y {n} billetes de valor desconocido'
  },
  my_deposits: {
    ask_the_operator: 'Pregunte al operador dónde entregar su efectivo.',
    deposit: 'Depósito',
    how: 'Cómo hacer un depósito',
    title: 'Mi efectivo'
  },
  my_figures: {
    at_rate: 'a {rate} por bitcoin',
    cash_left: 'Efectivo por convertir en sats',
    in_30_days: '{sats} en los últimos 30 días',
    no_rate: 'LNbits no conoce la cotización en este momento.',
    of_deposited: 'de {amount} depositados',
    on_their_way: 'En camino',
    per_bitcoin: 'por bitcoin, de todo lo recibido',
    plus_on_their_way: '+ {sats} en camino',
    received: 'Sats recibidos',
    sats_over_time: 'Mis sats, últimos 30 días',
    worth: 'Valen ahora'
  },
  my_form: {
    at_least: 'Al menos {from}',
    at_most: 'Como máximo {to}',
    choose_a_currency: 'Elija la moneda del límite.',
    choose_a_wallet: 'Elija una de sus billeteras.',
    enter_a_limit: 'Ingrese un límite diario.',
    example: 'Por ejemplo',
    fixed: 'Fijo: tanto al día',
    fixed_1: 'Primera venta del día, su parte es {share}: compra por',
    fixed_2:
      'Segunda venta, su parte es {share}, pero el límite está cerca: compra por',
    fixed_3: 'Tercera venta: ya alcanzó el límite del día',
    fixed_text:
      'Como Flujo, pero nunca por más que su límite diario. Su efectivo dura más, y compra en más días.',
    flow: 'Flujo: una parte de cada venta',
    flow_1: 'Alguien vende bitcoin y retira',
    flow_2: 'Un quinto del efectivo de todos los clientes es suyo: compra por',
    flow_3: 'La máquina recibió 130,000 sats: un quinto son',
    flow_text:
      'Cada venta usa algo de su efectivo, en proporción a lo que tiene en la máquina. Cuanto más trabaja la máquina, antes es todo sats.',
    from_to: 'De {from} a {to}',
    mode: '¿Cómo le gustaría comprar?',
    name_hint: 'Cómo le conoce el operador',
    new_wallet_name: 'Ahorros',
    new_wallet_text:
      'Una billetera de LNbits propia, para los sats que ahorra.',
    too_large: 'El límite diario es mayor de lo que permite el operador.',
    too_small: 'El límite diario es menor de lo que permite el operador.',
    wallet: 'Billetera que recibe los sats',
    wallet_hint: 'Una de las suyas'
  },
  my_goal: {
    amount: 'Meta',
    amount_hint: 'Vacío: sin meta',
    by: 'Hasta',
    done: 'Alcanzada.',
    edit: 'Fijar',
    goal: 'Meta de ahorro',
    in_cash: 'Efectivo convertido en sats, en {currency}',
    in_sats: 'Sats',
    no_amount: 'Una meta es un monto mayor que cero.',
    none: 'Fije cuántos sats quiere ahorrar, o cuánto efectivo convertir en sats, y hasta cuándo.',
    pace: '{each} al día la alcanzan el {by}.',
    saved: 'Meta y avisos guardados',
    so_far: '{reached} de {target} ({percent} %)',
    tell_me: 'Avisarme de',
    title: 'Meta y avisos',
    unit: 'Se cuenta en',
    ways: 'Dónde se le avisa se ajusta en su cuenta de LNbits, en Notificaciones.',
    whole: 'Una meta es un número entero de sats.'
  },
  my_header: {
    accept: 'Aceptar las condiciones',
    accept_question: '¿Aceptar las condiciones?',
    accept_text: 'Queda guardado que aceptó este texto y cuándo.',
    accepted: 'Condiciones aceptadas',
    terms_changed: 'Las condiciones del operador, que aún no ha aceptado',
    idle: '{amount} no compra nada por ahora: su límite diario está en {currency} y solo cuentan las ventas en {currency}. Cambie a una parte de cada venta o pídaselo al operador.',
    again: 'Registrarme de nuevo',
    cash_left: 'Efectivo restante',
    leave: 'Salir',
    leave_left:
      'Desde ahora no participa en las ventas. El resto de su efectivo no se pierde: el operador se lo paga en sats o se lo devuelve. No se puede deshacer, salvo registrándose de nuevo.',
    leave_question: '¿Salir del programa?',
    leave_text:
      'Desde ahora no participa en las ventas. No le queda efectivo con el operador. No se puede deshacer, salvo registrándose de nuevo.',
    more: 'Ajustes y salida',
    my_dca: 'Mi DCA',
    pause: 'Pausar',
    pause_question: '¿Pausar las compras?',
    pause_text:
      'No participa en las ventas hasta que reanude. Su efectivo queda igual.',
    resume: 'Reanudar',
    resume_question: '¿Reanudar las compras?',
    resume_text:
      'Vuelve a participar en las ventas, con el efectivo que le queda.',
    which: 'Cuál de sus ahorros mostrar'
  },
  my_keys: {
    ask: 'Preguntar al destino',
    begun: 'Iniciado',
    destination: 'Destino',
    destination_hint:
      'Una dirección Lightning (nombre, arroba, dominio) o un LNURL, de una billetera cuyas claves son suyas',
    fee_of: 'comisión {sats} sats',
    fees: 'Comisiones',
    last: 'Cuando me vaya, reenviar todo lo que quede',
    last_part: 'Cuando termine mi parte, reenviar todo lo que quede',
    need_destination: '¿Adónde van sus sats?',
    need_threshold: '¿A partir de cuántos sats? Un número entero.',
    none: 'Aún no se ha reenviado nada',
    none_text:
      'Lo que se reenvía a su propia billetera aparece aquí, con su comisión.',
    off: 'Desactivar',
    partner_title: 'Claves propias para su parte de la comisión',
    send_test: 'Enviar una prueba',
    sent: 'Reenviado',
    sent_on: 'Reenviado a mis claves',
    set: 'Configurar',
    takes: 'Responde, y acepta de {least} a {most} sats por vez.',
    test: 'Prueba',
    test_text:
      'Envíe primero {sats} sats y mire en su propia billetera si llegan: solo usted puede verlo.',
    tested:
      'La prueba está en camino: mire en su propia billetera y después guarde.',
    text: 'Sus sats pueden reenviarse solos a una billetera Lightning suya. Solo usted puede decidir adónde.',
    threshold: 'Se reenvía a partir de tantos sats',
    threshold_hint:
      'A partir de {sats} sats, la reserva para comisiones es del 1 % o menos. Lo que no se usa sigue siendo suyo.',
    title: 'Mis propias claves',
    under_way: 'En camino',
    waiting: 'En espera'
  },
  my_notices: {
    closed: 'Ya no participa',
    closed_left: 'Ya no participa, y queda algo de su efectivo',
    closed_left_text:
      'Sus {left} no se pierden: el operador se los paga en sats o se los devuelve. Pregúntele si tarda.',
    closed_text:
      'Todo su efectivo está liquidado. Sus depósitos y compras quedan aquí a la vista.',
    first_deposit: 'Lo siguiente: su primer depósito',
    first_deposit_text:
      'Entregue efectivo al operador. Cuando esté en la máquina, cada venta convierte algo en sats.',
    first_purchase: 'Todo listo',
    first_purchase_text:
      'Su efectivo está en la máquina. La próxima venta trae sus primeros sats.',
    never_begun: 'Usted no participa',
    never_begun_text:
      'El operador no lo aprobó, o terminó antes de su primer depósito. Pregúntele, o regístrese de nuevo.',
    on_its_way: 'Su efectivo va camino a la máquina',
    on_its_way_text:
      'El operador confirma el depósito cuando esté ahí; desde entonces participa en las ventas.',
    paused: 'En pausa',
    paused_by_operator: 'En pausa por el operador',
    paused_by_operator_text:
      'No participa en las ventas, y su efectivo queda igual. Pregunte al operador cuándo sigue.',
    paused_text:
      'No participa en las ventas, y su efectivo queda igual. Reanude cuando quiera.',
    pending: 'Esperando al operador',
    pending_text:
      'Ya está registrado. Participa en cuanto el operador lo apruebe; no tiene que hacer nada más.',
    used_up: 'Su efectivo se agotó',
    used_up_text: 'Todo se convirtió en sats. Para seguir, haga otro depósito.'
  },
  my_part: {
    by_hand: 'cuando lo haga el operador',
    change: 'Cambiar',
    next_poll: 'Próxima búsqueda de ventas',
    since: 'Desde',
    title: 'Cómo participo',
    wallet: 'Los sats van a'
  },
  my_partner: {
    nothing_yet: 'Todavía ninguna venta ha tenido una parte para usted.',
    of_commission: '{percent} % de la comisión: {where}',
    paid: 'Pagado a usted',
    pending: 'En camino',
    statement_of: 'Estado de cuenta de {month} como archivo',
    title: 'Su parte de la comisión',
    which: 'Qué parte mostrar'
  },
  my_payments: {
    cash: 'Efectivo',
    csv: 'CSV',
    export: 'Descargar las compras en CSV',
    for_at: 'por {cash}, a {rate}',
    none: 'Aún no hay compras',
    none_text:
      'Aquí aparece cada venta de la máquina que usó algo de su efectivo, con los sats que recibió.',
    open_wallet: 'Abrir mi billetera',
    payment: 'Pago',
    rate: 'Por bitcoin',
    sale: 'Venta',
    sats: 'Sats',
    status: 'Estado',
    title: 'Mis compras'
  },
  my_register: {
    accept: 'He leído los términos y los acepto.',
    accept_first: 'Acepte los términos para seguir.',
    ask: 'Pedir participar',
    by_approval:
      'El operador aprueba a cada cliente: después de registrarse queda pendiente hasta que diga que sí.',
    closed: 'El registro está cerrado',
    closed_text:
      'El operador agrega a los clientes a mano. Pregúntele si le gustaría participar.',
    how: 'El efectivo se vuelve sats, poco a poco con cada venta',
    open: 'Participa en cuanto se haya registrado y su primer efectivo esté en la máquina.',
    register: 'Registrarme',
    registered: 'Ya está registrado',
    step_1:
      'Usted entrega efectivo al operador, que lo pone en la máquina de bitcoin.',
    step_2: 'Hay quienes venden bitcoin a la máquina y retiran ese efectivo.',
    step_3:
      'Por el efectivo que era suyo, los sats llegan solos a su billetera.',
    terms: 'Los términos del operador',
    title: 'Ahorre en bitcoin'
  },
  my_settings: {
    saved: 'Ajustes guardados',
    settings: 'Ajustes'
  },
  my_statements: {
    koinly_caption: 'Para la declaración de impuestos',
    none: 'El primero estará listo cuando termine este mes.',
    of_month: 'Estado de cuenta de {month}',
    open: 'Para ver e imprimir',
    save: 'Guardar como archivo',
    so_far: 'Este mes hasta hoy',
    title: 'Estados de cuenta'
  },
  notices: {
    cash_low: 'Efectivo casi agotado',
    deposit_confirmed: 'Depósito confirmado',
    forward_failed: 'Reenvío fallido',
    goal_reached: 'Meta alcanzada',
    statement_ready: 'Estado de cuenta mensual listo'
  },
  obstacles: {
    source: 'La billetera de origen ya no existe',
    commission: 'La billetera de comisiones ya no existe',
    client: 'Sin billetera: {names}',
    partner: 'Socio sin billetera: {names}'
  },
  overview: {
    commission_per_day: 'Comisión en sats por día',
    covered: 'Cuánto de lo que se debe cubre la billetera',
    currency: 'Moneda de las gráficas',
    days_30: '30 días',
    days_7: '7 días',
    distributed: 'Distribuido a los clientes',
    fiat_per_day: '{currency} distribuidos por día',
    last_30_days: 'Los últimos 30 días',
    lasts: 'alcanza para unos {days}',
    lasts_less: 'alcanza para menos de un día',
    missing: 'Faltan {sats}',
    next_poll: 'La próxima {time}',
    no_deposits: 'Aún no hay depósitos',
    no_next_poll: 'Sin próxima: la consulta está apagada',
    no_sales_yet: 'aún sin ventas',
    no_source: 'Aún no se eligió la billetera de origen',
    not_polled: 'Aún sin consultas',
    nothing_owed: 'No se debe nada',
    owed: 'Se debe: {shares} a clientes, {commission} de comisión',
    poll_counts: '{found} ventas encontradas, {new} nuevas, {payments}',
    polls: 'Última consulta',
    pool: 'Efectivo de todos los clientes',
    pool_of: 'de {total} de {clients}',
    pool_over_time: '{currency} de los clientes en el tiempo',
    sats_per_day: 'Sats distribuidos por día',
    source: 'Billetera de origen',
    source_gone:
      'La billetera de origen ya no existe: elija otra en la configuración.',
    today: 'Hoy'
  },
  partners: {
    add: 'Añadir un socio',
    add_the_first: 'Añadir el primer socio',
    change: 'Cambiar',
    change_of: 'Cambiar a {name}',
    counts_from_now:
      'Vale para las ventas desde ahora. Las ventas de antes conservan el reparto de su momento.',
    end: 'Terminar',
    end_of: 'Terminar la parte de {name}',
    end_text:
      'Las ventas desde ahora no tienen parte para él. Lo que ya es suyo se le paga.',
    enter_a_name: 'Escriba un nombre.',
    enter_a_wallet: 'Escriba el id de la billetera.',
    enter_percent: 'Escriba un porcentaje, con punto para los decimales.',
    everywhere: 'De todas las máquinas',
    export: 'Exportar las partes de los socios',
    machines: 'Máquinas',
    machines_hint: 'Sin elegir ninguna: todas',
    name: 'Nombre',
    none_text:
      'Una tienda que aloja una máquina, un técnico, un segundo dueño: a quien le toca un porcentaje de la comisión se le paga con cada consulta.',
    none_yet: 'Toda la comisión es suya',
    paid: 'Pagado',
    partners: 'Socios',
    percent: 'Parte de la comisión',
    percent_hint: 'Todos los socios de una máquina juntos: como máximo 100',
    resume: 'Empezar de nuevo',
    resume_of: 'Empezar de nuevo la parte de {name}',
    resume_text: 'Las ventas desde ahora tienen de nuevo una parte para él.',
    saved: 'Socio guardado',
    shares: 'Partes de la comisión',
    since: 'Desde',
    to_be_paid: 'y {n} por pagar',
    wallet: 'Id de la billetera',
    wallet_hint: 'El id de una billetera suya de LNbits; ve su parte en Mi DCA',
    whose: 'De quién es la comisión',
    your_own: 'Suya'
  },
  parts: {
    more: 'Mostrar más',
    close: 'Cerrar',
    loading: 'Cargando',
    negative_commission_none: 'Comisión negativa: no se toma ninguna',
    what_the_customer_was_sent: 'Lo que se envió al comprador',
    base: 'Base',
    cancel: 'Cancelar',
    commission: 'Comisión',
    copy: 'Copiar {what}',
    effective_commission: 'Comisión efectiva',
    left_in: 'Queda de los depósitos en {currency}',
    negative_commission_all_is_base: 'Comisión negativa: todo es base',
    no_deposits_yet: 'Aún no hay depósitos',
    no_discount: 'Sin descuento',
    not_split_into_commission_and: 'No se dividió en comisión y base.',
    nothing_matches_the_search_and:
      'Nada coincide con la búsqueda y los filtros.',
    of: 'de {amount}',
    show_all: 'Mostrar todo',
    to_confirm: '+ {amount} por confirmar',
    try_again: 'Intentar de nuevo'
  },
  payouts: {
    daily: 'Cada día',
    each_poll: 'En cada consulta',
    next: 'Próximo pago: {time}',
    next_for_me: 'Próximo pago',
    now: 'Pagar todo ahora',
    now_text:
      'Paga todo lo que espera el próximo pago, por poco que sea. Lo que no se pueda pagar se muestra y se intenta de nuevo.',
    own_smallest: 'Pago mínimo',
    own_smallest_hint:
      'Opcional: los montos menores esperan hasta que valga la pena un pago',
    paid: '{sats} pagados',
    payments: 'Partes',
    schedule: 'Se paga a los clientes',
    schedule_hint: 'Sus partes se calculan en cada consulta',
    smallest: 'Pago mínimo (opcional)',
    smallest_hint: 'Lo que sea menos espera; un cliente puede pedir más',
    smallest_wrong: 'Pago mínimo: un número entero de sats, o vacío',
    sum: 'Suma',
    time: 'Hora',
    time_hint: 'HH:MM en {zone}',
    time_wrong: 'Hora: como HH:MM, por ejemplo 09:00',
    waiting: '{sats} esperan el próximo pago',
    weekday: 'Día',
    weekly: 'Cada semana',
    when: 'Pagos'
  },
  payments: {
    open_wallet: 'Abrir la billetera que paga',
    payment: 'pago',
    payment_hash: 'hash del pago',
    retry: 'Reintentar',
    retry_to: 'Reintentar el pago a {name}',
    sum: 'Suma',
    undistributed: 'Sin distribuir',
    void: 'Anular',
    void_to: 'Anular el pago a {name}'
  },
  polling: {
    done: 'Consulta lista',
    done_failures: 'Consulta lista, algunos pagos fallaron',
    failed: 'La consulta falló',
    failures: 'Con fallo: {what}.',
    found: '{sales} encontradas, {new} no vistas antes, {planned} repartidas.',
    hide: 'Ocultar',
    made: '{payments} hechos: {sats} sats.',
    none_made: 'No se hizo ningún pago.',
    nothing_new: 'Consulta lista: nada nuevo',
    paid: 'Pagos hechos',
    paid_of: '{n} de {all}',
    pending: 'Aún pendientes, se intentan con la próxima consulta: {what}.',
    planned: 'Repartidas',
    progress: 'Avance de la consulta',
    read: 'Ventas leídas',
    read_of: '{found}, {new} de ellas nuevas',
    reviews: 'Para que decida una persona: {what}.',
    scheduled: 'Para el próximo pago: {what}.',
    show_them: 'Mostrarlos',
    title: 'Consultando la máquina'
  },
  polls: {
    clock_ahead: 'El reloj de la máquina va {n} s adelantado',
    clock_behind: 'El reloj de la máquina va {n} s atrasado',
    each_reading_of_the_machines:
      'Aquí aparece cada lectura de la base de datos de la máquina. Presione Consulta manual para iniciar una ahora.',
    each_reading_of_the_machines_2:
      'Aquí aparece cada lectura de la base de datos de la máquina, cuando esté conectada.',
    export: 'Exportar consultas',
    found: '{found} encontradas, {new} nuevas',
    found_reviews: '{found} encontradas, {new} nuevas, {reviews} por revisar',
    n_confirmed: '{n} confirmados',
    n_failed: '{n} fallidos',
    n_pending: '{n} pendientes',
    no_polls_yet: 'Aún no hay consultas',
    none: 'Ninguno',
    payments: 'Pagos',
    polls: 'Consultas',
    sales: 'Ventas',
    sats_paid: 'Sats pagados',
    search_polls: 'Buscar consultas',
    started: 'Inicio',
    status: 'Estado',
    summary: '{sales}. Pagos: {payments}. {sats} sats pagados.',
    words_of_an_error: 'Palabras de un error'
  },
  programme: {
    approval:
      'Con aprobación: los clientes se registran y esperan a que usted los apruebe',
    client_registration: 'Registro de clientes',
    closed: 'Cerrado: solo usted agrega clientes',
    deposit_hint: 'Dónde y cuándo recibe efectivo, a quién preguntar',
    deposit_instructions: 'Cómo hacer un depósito',
    forward_number: 'El reenvío mínimo es un número entero de sats, o vacío.',
    forwarding:
      'Los clientes y los socios pueden reenviar sus sats a sus propias claves',
    largest: 'Máximo',
    limit_number: 'Un límite es un monto, o vacío.',
    limits: 'Límites diarios que los clientes pueden elegir (opcional)',
    limits_crossed: 'El límite máximo es menor que el mínimo.',
    limits_need_currency: 'Los límites necesitan una moneda.',
    open: 'Abierto: quien tenga una cuenta aquí participa de inmediato',
    saved: 'Registro guardado',
    smallest: 'Mínimo',
    smallest_forward: 'Umbral mínimo en sats (opcional)',
    terms: 'Términos',
    terms_hint:
      'Con un texto aquí, los clientes tienen que aceptarlo para registrarse',
    text: 'Lo que los usuarios de este LNbits encuentran en Mi DCA cuando quieren participar.',
    letterhead: 'En el encabezado de los estados de cuenta (opcional)',
    operator_name: 'Su nombre o el de su empresa',
    operator_address: 'Su dirección'
  },
  report: {
    before: 'antes: {amount}',
    by: 'Por',
    by_currency: 'Moneda',
    by_day: 'Día',
    by_machine: 'Máquina',
    by_month: 'Mes',
    cash: 'Efectivo',
    cash_owed: 'Efectivo de clientes en {currency}',
    commission: 'Comisión',
    deposits: 'Depósitos',
    distributed: 'Repartido',
    download: 'Descargar el informe',
    journal: 'Libro diario para {form}',
    late: '{sales} con lectura o decisión tras el cierre del mes, {sats}',
    late_taken_back:
      'sin {number} con descarte tras el cierre del mes, {sats} y {cash}',
    late_voids:
      'sin {number} con anulación tras el cierre del mes, {sats} y {cash}',
    no_machine: 'Ninguna máquina en particular',
    nothing: 'No pasó nada en este tiempo',
    nothing_text:
      'Ninguna venta, ningún depósito y ningún retiro. Elija otros días.',
    of: 'Del {from} al {to}, días de {zone}',
    owed: 'Se debe al final',
    partners: 'de ella a los socios {sats}',
    partners_owed: 'Sats de los socios',
    print: 'Imprimir el informe',
    report: 'Informe',
    sales: 'Ventas',
    sats: 'Sats',
    sats_owed: 'Sats de clientes, aún sin pagar',
    total: 'Total',
    undistributed: '{sats} sin repartir',
    withdrawals: 'Retiros'
  },
  sale_notes: {
    add: 'Agregar una nota',
    none: 'Sin notas.',
    note: 'Nota',
    notes: 'Notas',
    text: 'Se guarda con la venta, con su nombre y la hora. Una nota no se puede cambiar.'
  },
  settle: {
    short:
      'La billetera de origen tiene {balance} y le faltan {missing}: el resto se paga en cuanto se recargue.',
    source: 'Billetera de origen',
    decide_deposits_first: 'Decida primero sobre los depósitos pendientes.',
    default_reason: 'El cliente sale del programa',
    enter_a_rate: 'Ingrese una cotización.',
    hand: 'Devolver {rest}',
    hand_question: '¿Devolver {rest} a {name}?',
    hand_text:
      'Entregue el efectivo y luego confirme: se registra un retiro, y el cliente se cierra cuando no quede nada. No se puede deshacer.',
    handed: '{rest} devueltos a {name}',
    in_cash: 'Devolver el resto en efectivo',
    in_sats: 'Pagar el resto en sats, a la cotización que acuerden',
    owed: 'Se deben {sats} a {name}: aún sin pagar, vea la transacción',
    paid: '{sats} pagados a {name}',
    pay: 'Pagar {sats}',
    pay_question: '¿Pagar {sats} a {name}?',
    pay_text:
      'El dinero se mueve: los sats salen de la billetera de origen hacia la del cliente, y el efectivo es suyo. No se puede deshacer.',
    pending:
      'Hay depósitos pendientes por {amount}: confírmelos o rechácelos antes de liquidar.',
    rate: 'Cotización por bitcoin',
    rate_average: 'Promedio hasta ahora: {rate}',
    rate_hint: 'Por un bitcoin entero',
    rate_in: 'Cotización en {currency} por bitcoin',
    rate_now: 'Hoy: {rate}',
    reason_hint: 'Queda en los registros',
    rest: 'Resto del efectivo',
    sats_for: 'Por {rest} el cliente recibe',
    sats_paid: 'Sats por pagar',
    settle_out: 'Liquidar',
    text: 'El cliente recibe el resto de su efectivo de una de dos maneras, y se cierra.',
    text_others:
      'El cliente recibe el resto de esta moneda. Quedan abiertos {others}; el cliente se cierra cuando no quede nada.',
    title: 'Liquidar a {name}'
  },
  sidebar: {
    succeeded_with_problem: 'La última consulta funcionó, con un problema',
    checked: 'Revisado: {what}',
    checked_balances: '{n} saldos',
    checked_forwards: '{n} reenvíos',
    checked_lnbits_payments: '{n} pagos de LNbits',
    checked_payments: '{n} pagos',
    checked_payouts: '{n} transferencias',
    checked_transactions: '{n} transacciones',
    configure_database: 'Configurar base de datos',
    configure_the_database_first_test:
      'Primero configure la base de datos. La prueba y la consulta vienen después.',
    connection_test: 'Prueba de conexión',
    every: 'cada {time}',
    failed: 'falló {time}',
    last_poll: 'Última consulta',
    last_poll_failed: 'La última consulta falló',
    last_poll_succeeded: 'La última consulta tuvo éxito',
    last_successful_poll: 'Última consulta exitosa',
    last_test: 'Última prueba',
    loading: 'Cargando…',
    manual_poll: 'Consulta manual',
    no: 'no',
    not_configured: 'Sin configurar',
    not_polled_yet: 'Aún sin consultas',
    passed: 'pasó {time}',
    polling: 'Consultando…',
    polling_is_off: 'La consulta está apagada',
    polling_now: 'Consultando ahora',
    polls_itself: 'Consulta sola',
    adopt: 'Adoptar',
    adopt_text:
      'No se paga nada: LNbits tiene pagos nuestros que esta base de datos no conoce. Es más antigua que la de LNbits, como tras restaurar una copia.',
    adopt_asked:
      'Las ventas se leen y se planifican; lo que LNbits ya pagó por ellas se confirma en vez de pagarse otra vez. Lo que no cuadre queda a la espera de una persona.',
    pay_again: 'Pagar otra vez',
    pay_again_text:
      'LNbits ha perdido pagos que estaban registrados: su base de datos es más antigua que esta.',
    pay_again_asked:
      'Se registran de nuevo todos los pagos, abonos y comisiones que LNbits ha perdido.',
    reconciliation: 'Conciliación: {differences}',
    reconciliation_no_differences: 'Conciliación: sin diferencias',
    reconciliation_not_available: 'Conciliación no disponible',
    sat_machine_dca: 'Sat Machine DCA',
    sats_for_the_cash_in: 'Sats por el efectivo de su máquina Lamassu',
    state_unknown: 'Estado desconocido',
    test_connection: 'Probar conexión',
    test_transaction: 'Transacción de prueba',
    the_ssh_servers_host_key:
      'La clave del servidor SSH no es la aceptada. Pruébela en Configurar base de datos, donde puede compararla y aceptarla.',
    took: 'Tardó {time}.'
  },
  statement: {
    account: 'Efectivo en {currency}',
    as_csv: 'Descargar el estado de cuenta en CSV',
    average_price: 'Precio promedio por bitcoin',
    balance: 'Saldo',
    bought: 'Convertido en sats',
    client_id: 'Id del cliente: {id}',
    closing: 'Saldo final',
    custom: 'Desde – hasta',
    explained:
      'El efectivo está en la moneda de cada título, los precios son por bitcoin entero, las horas son las de {zone}.',
    last_month: 'Mes anterior',
    made: 'Hecho',
    not_paid_yet: 'sats aún sin pagar',
    nothing: 'No pasó nada en este período, y no hay saldo.',
    of_what: 'Ahorro en bitcoin: entra efectivo, salen sats',
    on_its_way: 'sats en camino',
    opening: 'Saldo inicial',
    period: 'Período',
    print: 'Imprimir',
    purchase: 'Compra',
    rate: 'Por bitcoin',
    statement: 'Estado de cuenta',
    this_month: 'Este mes',
    this_year: 'Este año',
    time: 'Fecha',
    to_panel: 'Volver al panel',
    voided: 'anulado, el efectivo volvió al saldo',
    what: 'Qué',
    withdrawals: 'Retiros',
    number: 'Número',
    paper: 'Papel',
    letter: 'Carta'
  },
  states: {
    ended: 'Terminado',
    active: 'Activo',
    closed: 'Cerrado',
    confirmed: 'Confirmado',
    dismissed: 'Descartado',
    failed: 'Fallido',
    in_flight: 'En camino',
    needs_review: 'Por revisar',
    ok: 'OK',
    paused: 'En pausa',
    pending: 'Pendiente',
    planned: 'Sin pagar del todo',
    rejected: 'Rechazado',
    running: 'En curso',
    settled: 'Liquidado',
    settling: 'Pagándose',
    skipped: 'Omitido',
    succeeded: 'Exitosa',
    testing: 'Probando',
    voided: 'Anulado'
  },
  steps: {
    clock: 'Reloj',
    commission_method: 'Método de comisión',
    configuration: 'Configuración',
    database: 'Base de datos',
    host_key: 'Clave del servidor SSH',
    login: 'Ingreso SSH',
    resolve: 'Nombre',
    rows: 'Ventas',
    ssh: 'Servidor SSH',
    table_rights: 'Permisos sobre las tablas',
    tcp: 'Alcance',
    tunnel: 'Túnel'
  },
  tables: {
    actions: 'Acciones',
    all: 'Todas',
    days_30: 'Últimos 30 días',
    days_7: 'Últimos 7 días',
    from: 'Desde',
    next: 'Página siguiente',
    of_it_confirmed: 'confirmado:',
    own_range: 'Desde – hasta',
    previous: 'Página anterior',
    range: '{from}–{to} de {all}',
    rows: 'Filas por página:',
    today: 'Hoy',
    total: 'Total',
    until: 'Hasta'
  },
  test_transaction: {
    machine_hint:
      'Participa el efectivo que está en esta máquina, y sus socios',
    no_machine: 'Ninguna máquina en particular',
    a_made_up_sale_shared:
      'Una venta inventada, repartida con las mismas reglas que una real. La vista previa no guarda ni paga nada.',
    as_lamassu_stores_it: 'Como lo guarda Lamassu: {value}',
    choose_a_currency: 'Elija una moneda.',
    commission: 'Comisión',
    discount_on_the_commission: 'Descuento sobre la comisión',
    enter_the_commission_in_percent:
      'Ingrese la comisión en porcentaje, como 5.5.',
    enter_the_discount_in_percent:
      'Ingrese el descuento en porcentaje, 0 si no hay.',
    enter_the_fiat_amount_with: 'Ingrese el monto en efectivo.',
    execute_with_real_sats: 'Ejecutar con sats reales',
    execute_with_real_sats_2: '¿Ejecutar con sats reales?',
    executed: 'Ejecutado',
    fiat_amount: 'Monto en efectivo',
    fiat_of_the_sale: 'Efectivo de la venta',
    no_client_takes_part_that:
      'Ningún cliente participa: hace falta un cliente activo con un depósito confirmado en esta moneda que no se haya agotado.',
    nothing_stored_nothing_paid: 'Nada guardado, nada pagado',
    open_the_transaction: 'Abrir la transacción',
    pay_real_sats: 'Pagar sats reales',
    preview: 'Vista previa',
    sats_have_to_be_a: 'Los sats tienen que ser un número entero.',
    test_transaction: 'Transacción de prueba',
    test_transaction_executed: 'Transacción de prueba ejecutada',
    the_form_changed_preview_again:
      'El formulario cambió: vea la vista previa de nuevo',
    the_plan: 'El plan',
    the_plan_is_carried_out:
      'El plan se ejecuta: sats reales salen de la billetera de origen hacia los clientes (y hacia la billetera de comisión, si hay una), y los saldos de los clientes bajan. La transacción se guarda con una marca de prueba. No se puede deshacer.',
    to_clients: 'A clientes',
    total: 'Total',
    total_sats: 'Total de sats'
  },
  testing: {
    other_method:
      'Está configurado otro método de comisión que el que usan las máquinas: cámbielo en Configurar base de datos, en Consultas.'
  },
  told: {
    a_cash_in: 'una entrada de efectivo de {sats} sats por {fiat} {code}',
    a_cash_out: 'una salida de efectivo de {sats} sats por {fiat} {code}',
    a_client: 'cliente',
    a_client_of_yours: 'cliente suyo',
    a_commission: 'comisión',
    a_credit: 'abono',
    a_deposit: 'depósito',
    a_forward: 'reenvío',
    a_machine: 'máquina',
    a_partner: 'socio',
    a_partner_of_yours: 'socio suyo',
    a_payment: 'pago',
    a_settle_out: 'una liquidación de {sats} sats por {fiat} {code}',
    a_transaction: 'transacción',
    above_poll_ceiling: 'Por encima del tope de {sats} sats por consulta.',
    above_sale_ceiling: 'Por encima del tope de {sats} sats por venta.',
    accept_terms: 'hay que aceptar las condiciones del operador',
    admins_told: 'Entregado a LNbits para {ways}.',
    admins_told_nothing:
      'LNbits aún no avisa de nada a sus administradores: configúrelo en Settings, Notifications.',
    all_stopped:
      'Todos los reenvíos están detenidos; permítalos primero en el programa.',
    an_adopted_payment: 'pago adoptado',
    another_under_way: 'Otro reenvío de la misma persona está en camino.',
    archive_differs: 'Sus partes archivadas no son lo que se archivó de ella.',
    as_configured: 'como está configurado',
    asked_again: 'Se le pregunta de nuevo más tarde.',
    atoms_odd: 'crypto_atoms es {atoms}',
    before_bitcoin: 'no había bitcoin antes del {day}',
    before_from: 'es anterior al comienzo',
    belongs_to_user: '{path} pertenece al usuario con el número {user}',
    below_nothing: 'no puede ser menos que nada',
    booking_differs:
      'El registro {booking} de LNbits debería ser de {msat} msat en la billetera {wallet}, exitoso, con una tarifa de {fee} msat; se encontró: {found}.',
    books_differ_in:
      'Los libros difieren en {n} lugares: no se archiva nada hasta que concuerden.',
    books_do_not_agree:
      'Los libros no cuadran, en tantos lugares: {n}. Nada se cambia por sí solo; revíselos.',
    books_unchecked:
      'La comprobación de todos los libros falla; lo reciente se comprobó. El registro de LNbits dice por qué.',
    by_notes_count:
      '{reason} (según el conteo de los billetes, {worth} de {fiat})',
    cannot_be_distributed: 'No se puede distribuir: {reason}',
    cannot_be_voided: 'Este pago no se puede anular (estado: {state}).',
    cash_in_amount:
      'déjelo vacío. El cliente de una entrada de efectivo puso todo el efectivo; no puede faltar ninguna parte.',
    cash_ins_found: 'Entradas de efectivo enviadas desde el {day}: {n}.',
    cash_ins_readable: 'Se puede leer cash_in_txs.',
    cash_is_missing:
      'De los {owed} {currency} que se deben a los clientes, solo {there} están en las máquinas. Cuéntelo.',
    cash_lasts:
      'El efectivo de los clientes en {currency}, {remaining}, alcanza para unos {days} días más. Pida depósitos.',
    cash_not_confirmed: 'la máquina no confirmó que saliera el efectivo',
    certificate_not_trusted:
      'No se confía en el certificado de PostgreSQL en {where} ({reason}). Revise host y ssl_ca_certificate.',
    choose_adopt: 'Elija ‘Adoptar’ para llevar estos pagos a los libros.',
    choose_another_source:
      'la billetera {wallet} ya no existe. Elija otra billetera de origen en la configuración.',
    claim_decided_already: 'Ya se decidió sobre este pago.',
    claim_not_lamassus:
      'No era una venta de Lamassu, así que no se lee de nuevo: registre un retiro, si lo era.',
    client_closed: 'este cliente está cerrado y no admite depósitos',
    client_gone: 'Este cliente ya no existe.',
    client_has_left: 'El cliente dejó el programa.',
    client_wallet_is_gone:
      'La billetera de {name}, o su usuario, ya no existe: su efectivo espera y no compra nada hasta que tenga otra billetera.',
    client_wallet_needed: 'hace falta la billetera LNbits del cliente',
    client_wants_to_join: '{name} quiere participar. Apruebe o cierre.',
    clock_ahead:
      'El reloj del servidor de la máquina va {seconds} segundos adelantado respecto a este. Ajuste ambos por NTP.',
    clock_behind:
      'El reloj del servidor de la máquina va {seconds} segundos atrasado respecto a este. Ajuste ambos por NTP.',
    clocks_agree:
      'El reloj del servidor de la máquina y este coinciden; su zona horaria es {zone}.',
    commission_booked_already: 'La comisión de la venta ya está registrada.',
    commission_sums:
      'De {sats} sats de comisión, {partners} son de los socios, y sus partes suman {parts} sats.',
    commission_too_high: 'la comisión efectiva es {effective}, 100 % o más',
    commission_unknown: 'no se conoce commission_percentage',
    commission_wallet_is_gone:
      'La billetera de comisiones {wallet} ya no existe: no se puede pagar la comisión. Elija otra en la configuración.',
    commission_would_be: 'la comisión sería de {sats} sats',
    compute_with:
      'Estas máquinas calculan con {method} ({verdict}): en {sales} ventas, la base se aparta del valor de mercado en {markup} sats (markup) o {margin} sats (margin).',
    configured_is: 'pero está configurado {method}',
    connection_broke:
      'La conexión con la base de datos de la máquina se cortó durante la lectura ({reason}). Revise que PostgreSQL, el servidor SSH y la red sigan en marcha.',
    connection_given_up: 'Se abandonó la conexión con {where}.',
    connection_works: 'La conexión funciona; se pueden leer las ventas.',
    counts_hidden:
      'Sus conteos {names} no: lo que salió de la máquina no se compara entonces con la venta, y una entrega parcial no muestra cuánto. Ejecute ahí como dueño: {grant};',
    credit_booked_already: 'El abono de la venta ya está registrado.',
    credit_failed: 'En espera: falló la acreditación de la venta: {reason}',
    credit_invoice_removed:
      'La factura de la acreditación se eliminó mientras tanto; se hace una nueva.',
    daily_limit_reached:
      'En espera: LNbits permite pagar {sats} sats al día por billetera.',
    day_to_come: 'tiene que ser un día por venir',
    debited_without_invoice:
      'LNbits cargó el pago {hash}, pero perdió su factura.',
    decided_already: 'Ya se decidió sobre esta transacción.',
    deposit_is_final:
      'este depósito ya tiene un estado definitivo ({state}). Corrija un error con un registro nuevo.',
    deposit_pending:
      'Hay un depósito en {currency} pendiente: confírmelo o recházelo primero.',
    deposits_wait:
      'Depósitos por confirmar desde hace más de {hours} horas: {n}. Confírmelos cuando su efectivo esté en la máquina.',
    destination_above_limit:
      'El destino acepta al menos {least} sats por vez, y LNbits paga {most} como máximo.',
    destination_changed: 'El destino cambió.',
    destination_expired: 'El destino respondió con una factura vencida.',
    destination_no_address:
      'El destino no es una dirección Lightning ni un LNURL-pay.',
    destination_no_whole_sats:
      'El destino no acepta ningún monto de sats enteros.',
    destination_not_payable:
      'El destino es un LNURL, pero no se le puede pagar.',
    destination_odd: 'El destino no respondió como debe: {reason}.',
    destination_other_amount:
      'El destino respondió con una factura por otro monto.',
    destination_own_wallet:
      'La factura del destino paga a la misma billetera de la que salen los sats. Configure otro destino.',
    destination_paid_before:
      'La factura del destino ya se había pagado. Configure otro destino.',
    destination_refuses: 'El destino lo rechaza: {reason}.',
    destination_silent: 'El destino no respondió a tiempo.',
    destination_takes_at_least: 'el destino admite al menos {sats} sats',
    destination_unreadable:
      'El destino respondió con una factura que no se puede leer.',
    devices_hidden:
      'No se puede leer {names} de devices: es opcional, para los nombres de las máquinas y lo que Lamassu cree que hay en ellas. Para permitirlo, ejecute ahí como dueño: {grant};',
    discount_odd: 'el descuento es {percent}, no un porcentaje de 0 a 100',
    enter_it_again: 'ingrésela de nuevo, porque cambia {moved}',
    enter_key_or_password: 'ingrese una clave privada o una contraseña SSH',
    enter_login_again:
      'ingrese de nuevo la contraseña SSH o la clave privada SSH, porque cambia {moved}',
    every_machine: 'todas las máquinas',
    expired_invoice: 'respondió con una factura vencida',
    extra_field: 'este campo no se admite',
    far_ahead:
      'ATENCIÓN: el reloj del servidor de la máquina va {seconds} s adelantado: ajuste ambos por NTP; las horas de las ventas se pasan a este reloj. Su zona horaria es {zone}.',
    far_behind:
      'ATENCIÓN: el reloj del servidor de la máquina va {seconds} s atrasado: ajuste ambos por NTP; las horas de las ventas se pasan a este reloj. Su zona horaria es {zone}.',
    fee_odd: 'cash_in_fee es {fee}',
    fee_takes_all: 'cash_in_fee es {fee}, todos sus {fiat} {code} o más',
    fee_unknown: 'no se conoce cash_in_fee',
    fee_without_price:
      'hay un cash_in_fee de {fee}, pero no se conoce raw_ticker_price',
    fewer_sats: 'esperan menos sats que hace un momento',
    fiat_odd: 'el efectivo {fiat} {reason}',
    field_required: 'hace falta',
    fingerprint_form: 'indíquela como la muestra OpenSSH: SHA256:…',
    fixed_fee_odd: 'fixed_fee es {fee}',
    flooded:
      'La base de datos de la máquina envió más de {size} MB y se cortó: eso no es el trabajo de una máquina. Revise host y port; baje look_back_days si lo es.',
    forward_booking_differs:
      'El pago {hash} de LNbits debería ser de {msat} msat con una tarifa de {fee}, exitoso; se encontró: {found}.',
    forward_booking_lost:
      'LNbits perdió el registro de este pago. Cuenta como en camino hasta que una persona revise la fuente de fondos y lo cierre.',
    forward_changed: 'Este reenvío cambió mientras tanto.',
    forward_closed: 'Cerrado como no pagado: {reason}',
    forward_given_up_changed: 'Abandonado: el destino cambió.',
    forward_given_up_off: 'Abandonado: se desactivó el reenvío.',
    forward_is_paid: 'Está pagado: no se puede volver a intentar.',
    forward_may_arrive: 'Aún puede llegar: no se puede volver a intentar.',
    forward_no_route:
      'No llegó: no hay ruta, falta liquidez o la comisión supera la reserva. Se intenta de nuevo.',
    forward_not_arrived: 'No llegó: {reason} Se intenta de nuevo.',
    forward_on_its_way:
      'En camino: el destino lo retiene, o la red aún busca una ruta.',
    forward_over: 'El destino cambió desde entonces; este ha terminado.',
    forward_refused:
      'LNbits lo rechazó: {reason} Se intenta de nuevo más tarde.',
    forward_wallet_changed:
      'La billetera del cliente cambió. Hay que configurar el destino de nuevo.',
    forward_wallet_closed: 'La billetera está cerrada o no puede pagar.',
    forwarding_stopped:
      'El operador detuvo todos los reenvíos. Sus sats se quedan en su billetera.',
    forwards_fail:
      'Reenvíos a claves propias que no se pueden enviar: {n}. Vea el motivo; luego reintente o pregunte a quien tiene las claves.',
    further_step:
      'El servidor SSH pide un paso más que un secreto del usuario ‘{user}’. Permita a este usuario el acceso solo con clave privada.',
    given_up_was_paid:
      'LNbits ha pagado su factura {hash} ({sats} sats), que se había abandonado como no pagada.',
    has_to_be_a_number: 'tiene que ser un número, como 150.00',
    has_to_be_above_zero: 'tiene que ser mayor que cero',
    has_to_be_text: 'tiene que ser texto',
    held_differs:
      'Retenido: LNbits pagó partes de esta venta que difieren del plan. Reinténtelo si debe pagarse, o anúlelo.',
    held_part:
      'Retenido: LNbits pagó {sats} sats por esta parte. Reinténtelo si debe pagarse, o anúlelo.',
    held_untold:
      'Retenido: LNbits pagó {sats} sats por ventas que el pago no nombra. Reinténtelo si debe pagarse, o anúlelo.',
    host_form:
      'indique solo un nombre de servidor o una dirección IP, como 192.0.2.10',
    host_key_accepted: 'La clave del servidor es la aceptada, {key}.',
    host_key_changed:
      'La clave del servidor SSH cambió: la aceptada es {accepted}, el servidor muestra {shown}. No se le envió nada. Si de verdad se reinstaló el servidor, acepte la clave nueva en la configuración; si no, puede haber alguien en medio.',
    host_key_not_accepted:
      'La clave {key} del servidor SSH aún no está aceptada. Compárela con la del servidor (allí: for f in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $f; done) y luego acéptela en la configuración.',
    id_stored:
      'El identificador de Lamassu {id} ya está guardado: {known}. Esta es otra venta, {sale}: de otra base de datos o de una máquina instalada de nuevo, o se cambiaron sus montos. Compare las dos.',
    id_stored_before:
      'El identificador de Lamassu {id} ya está guardado, de la base de datos anterior a esta: {known}. Esta es otra venta, {sale}: es de antes de que esta base de datos se declarara otra. Compare las dos.',
    in_the_future: 'está en el futuro; hoy es {today} ({zone})',
    install_packages:
      'Ejecute esto en el servidor de LNbits, como el usuario que lo ejecuta, y reinicie LNbits: {command}',
    into_source_itself: 'Se pagaría a la propia billetera de origen.',
    invoice_cancelled:
      'La factura se canceló mientras tanto; se hace una nueva.',
    invoice_given_before:
      'El destino respondió con una factura que ya había dado antes.',
    is_a_link: '{path} es un enlace',
    is_ahead:
      'El reloj del servidor de la máquina va {seconds} s adelantado; las horas de las ventas se pasan a este reloj. Su zona horaria es {zone}.',
    is_behind:
      'El reloj del servidor de la máquina va {seconds} s atrasado; las horas de las ventas se pasan a este reloj. Su zona horaria es {zone}.',
    is_empty: 'no puede quedar vacío',
    is_missing: 'nada',
    is_no_address: 'no es una dirección Lightning ni un LNURL-pay',
    is_no_number: 'no es un número',
    is_not_payable: 'es un LNURL, pero no se le puede pagar',
    is_not_positive: 'no es un número positivo',
    is_silent: 'no respondió a tiempo',
    is_too_large: 'es demasiado grande',
    it_refuses: 'lo rechaza: {reason}',
    key_cipher:
      'está cifrada con {cipher}, que aquí no se puede leer. Cífrela de nuevo y péguela: ssh-keygen -p -Z aes256-ctr -f ARCHIVO',
    key_damaged: 'no se puede leer: está dañada, o no es una clave SSH',
    key_damaged_or_passphrase:
      'no se puede leer: está dañada, o la frase de contraseña es incorrecta, o no es una clave SSH',
    key_is_encrypted:
      'esta clave SSH está cifrada; ingrese su frase de contraseña',
    key_kind: 'es de un tipo que no se admite: use RSA, ECDSA o Ed25519',
    key_refused:
      'El servidor SSH no dejó entrar al usuario ‘{user}’ con esta clave privada ({reason}). Revise ssh_username y la clave privada, y que el servidor permita este modo de acceso (la mitad pública de la clave en authorized_keys).',
    key_speaks_for_wallet:
      'la clave de una billetera vale solo para esa billetera; inicie sesión',
    lamassu_error: 'Pagada, pero Lamassu informa de un error: {error}',
    largest_below_smallest: 'es menor que el límite diario mínimo',
    ledger_in_use: 'Otro proceso está usando el libro. Inténtelo de nuevo.',
    left_and_in_machines:
      'quedan como máximo {amount}; otros {more} están en máquinas: indique una',
    left_at_most: 'quedan como máximo {amount}',
    left_in_this_machine: 'quedan como máximo {amount} en esta máquina',
    less_arrived: 'solo llegaron {received} de sus {sats} sats',
    limit_at_least: 'tiene que ser al menos {amount}',
    limit_at_most: 'tiene que ser como máximo {amount}',
    limit_in_new_currency: 'indique también el límite en la nueva moneda',
    limit_needed: 'hace falta en modo fijo, con su moneda',
    limit_needs_currency: 'el límite diario necesita una, como GTQ',
    limits_need_currency: 'los límites diarios necesitan una, como GTQ',
    link_local: 'el enlace no va cifrado, pero es local',
    link_open:
      'ATENCIÓN: el enlace NO va cifrado: use el túnel SSH, o ssl_mode require',
    link_ssh: 'el enlace va cifrado por SSH',
    link_ssh_partly:
      'el enlace va cifrado por SSH hasta el servidor SSH, pero NO de ahí a {host}',
    link_tls: 'el enlace va cifrado (TLS)',
    lnbits_database_failed:
      'Falló la base de datos de LNbits ({reason}). No se pierde nada; la próxima consulta continúa. El registro de LNbits tiene los detalles.',
    lnbits_has_learnt: 'LNbits ya sabe qué fue de esto: mírelo de nuevo.',
    logged_in: 'Sesión iniciada como {user}.',
    machine_currency: 'la de esta máquina es {currencies}',
    machine_is_silent:
      'La máquina {name} estuvo en línea por última vez el {time} UTC. Revísela.',
    machine_totals_differ:
      'Los totales en {currency} de la máquina {machine} difieren de las sumas de sus filas: {sums}.',
    machine_unknown: 'ni Lamassu ni una venta han nombrado esta máquina',
    machine_unknown_named:
      'ni Lamassu ni una venta han nombrado la máquina {machine}',
    machines_readable: 'Se pueden leer los nombres de las máquinas.',
    margin_amounts:
      'el método del margen necesita un monto positivo y ninguna tarifa negativa',
    margin_needs_fee: 'El método del margen necesita la tarifa fija.',
    may_not_forward:
      'El servidor SSH terminó la conexión apenas entró el usuario ‘{user}’. Revise que este usuario pueda reenviar puertos (AllowTcpForwarding).',
    may_not_read:
      'Este usuario no puede leer {names} de {table}. Ejecute ahí como dueño: {grant};',
    may_still_be_paid: 'Su factura aún puede pagarse: espere hasta {time}.',
    miscounted:
      'Consta como completa, pero según el conteo de los billetes salieron {worth} de {fiat} de la máquina.',
    month_at_most: 'puede ser {month} a más tardar',
    more_forwarded:
      'Se reenviaron {sent} sats de la billetera {wallet}, con tarifas, y se trajeron {brought}.',
    more_is_known: 'Ahora se sabe más de esto: mírelo de nuevo.',
    more_of_this_kind: 'Y {n} más de este tipo.',
    more_out_of_machine:
      'Salió más {currency} de la máquina {machine} de lo que era suyo allí.',
    more_than_deposited: 'Se distribuyó más {currency} de lo depositado.',
    more_than_password:
      'El servidor SSH pide al usuario ‘{user}’ más que una contraseña: {questions}. Permita a este usuario el acceso solo con clave privada.',
    more_than_the_sale:
      'no puede haber salido más que el propio monto de la venta',
    needed_for_tunnel: 'hace falta mientras el túnel SSH está activado',
    needed_for_verify_full: 'hace falta con ssl_mode verify-full',
    needed_with_fiat: 'hace falta con el efectivo',
    never_collected:
      'Pagada, pero el cliente de la máquina nunca recogió el efectivo.',
    never_reported: 'la máquina nunca informó de si salió el efectivo',
    new_currency_or_null: 'indíquelo en la nueva moneda, o déjelo vacío',
    no_answer_in_time:
      'La base de datos de la máquina no respondió en {seconds} s, o dentro de un statement_timeout menor propio ({reason}). Puede estar bloqueada u ocupada; baje look_back_days si sigue así.',
    no_boolean: 'tiene que ser sí o no',
    no_cash_came_out: 'no salió efectivo',
    no_certificate:
      'no es un certificado en forma PEM. Pegue el certificado de la CA, desde -----BEGIN CERTIFICATE hasta END CERTIFICATE-----.',
    no_column:
      '{table} no tiene la columna {names}: no es una versión de Lamassu que se pueda leer (se conocen de la 8.0 a la 10.2).',
    no_configuration:
      'Aún no hay configuración: complete primero «Configurar base de datos».',
    no_configuration_sent:
      'Aún no hay configuración: envíe una, o guárdela primero.',
    no_currency:
      '«{code}» no es un código de moneda ISO 4217 conocido, como GTQ o USD',
    no_database:
      'No hay ninguna base de datos ‘{database}’ en {where}. La de Lamassu suele ser ‘lamassu’.',
    no_date: 'no es una fecha',
    no_decimal: 'no es un número decimal',
    no_integer: 'no es un número entero',
    no_match: 'el texto no tiene la forma «{pattern}»',
    no_method_needed:
      'De una entrada de efectivo, la comisión es lo que cobró la máquina: no hace falta ningún método.',
    no_other_database: 'aún no hay ninguna de la que esta pueda diferir',
    no_part_of_it: 'Según el plan, este socio no tiene parte en su comisión.',
    no_part_yours: 'Ninguna parte de la comisión es suya.',
    no_postgres_there:
      'El servidor SSH no puede conectarse con PostgreSQL en {where} ({reason}). Revise host y port vistos desde el servidor SSH, que PostgreSQL funcione ahí y que el servidor permita reenviar exactamente a {place} (AllowTcpForwarding, PermitOpen: ahí, localhost y 127.0.0.1 no son lo mismo).',
    no_prepared_statements:
      'La base de datos de LNbits no conserva las sentencias preparadas, como PgBouncer en modo de transacción: conecte LNbits con PostgreSQL mismo, o por PgBouncer en modo de sesión. No se pierde nada; la próxima consulta continúa.',
    no_price_to_compare:
      'No se puede leer raw_ticker_price, así que no se pueden comparar los métodos de comisión.',
    no_private_key:
      'no es una clave privada en forma OpenSSH o PEM (PuTTY: expórtela en forma OpenSSH)',
    no_session:
      'No hay sesión de PostgreSQL en {where}, visto desde LNbits ({reason}). Revise host, port, database_name, listen_addresses y ssl_mode.',
    no_session_by_ssh:
      'No hay sesión de PostgreSQL en {where}, visto desde el servidor SSH ({reason}). Revise host, port, database_name, listen_addresses y ssl_mode.',
    no_share_of_it: 'Según el plan, este cliente no tiene parte en ella.',
    no_ssh:
      'Ningún servidor SSH responde en {where} ({reason}). Revise ssh_host, ssh_port y el cortafuegos.',
    no_ssh_spoken:
      'Lo que responde en {where} no habla SSH como se espera ({reason}). Revise ssh_host y ssh_port.',
    no_such_wallet: 'no hay ninguna billetera de LNbits con este identificador',
    no_table:
      'No hay una tabla {table} en el esquema public de esta base de datos: ¿es la de Lamassu?',
    no_time: 'no es una fecha con hora',
    no_time_zone: 'no es una zona horaria conocida, como America/Guatemala',
    no_tls:
      'PostgreSQL en {where} no ofrece TLS, que ssl_mode {mode} necesita. Actívelo ahí (ssl = on) o use el túnel SSH.',
    no_tunnel: 'No hay túnel SSH configurado.',
    no_webhook: 'No hay ningún webhook.',
    no_webhook_address: 'no es una dirección como https://example.com/hook',
    no_whole_sats: 'no acepta ningún monto de sats enteros',
    none_not_allowed: 'no puede quedar sin valor',
    none_to_test: 'no hay ninguno fijado; indique el que se ha de probar',
    not_all_cash_came_out: 'no salió todo el efectivo',
    not_approved_yet: 'el operador aún no ha aprobado su registro',
    not_both: 'indique sats o efectivo, no ambos',
    not_by_itself: 'No se distribuyó por sí sola: {reason}',
    not_found: 'No hay nada con este identificador ({what}).',
    not_greater: 'tiene que ser mayor que {limit}',
    not_greater_or_equal: 'tiene que ser {limit} o más',
    not_internal: 'LNbits no registró el pago como interno.',
    not_less: 'tiene que ser menor que {limit}',
    not_less_or_equal: 'tiene que ser {limit} o menos',
    not_lost: 'LNbits aún tiene este pago: no se paga de nuevo.',
    not_one_of: 'valor inesperado; se admite: {values}',
    not_reached: 'No se llegó a este paso.',
    not_registered: 'Usted aún no está registrado.',
    not_settled_until:
      'Hasta el final de {month}, {n} ventas, pagos o comisiones no están liquidados definitivamente: liquídelos o decida sobre ellos primero.',
    not_surely_unpaid:
      'No es seguro que no esté pagado: no se puede volver a intentar.',
    not_the_same_archived:
      'Una parte no sería la misma en el archivo: queda donde está.',
    not_your_wallet: 'esta billetera no es suya',
    notes_not_planned:
      'la máquina no pudo planear los billetes y no salió efectivo',
    nothing_in_common:
      'Un servidor SSH responde en {where}, pero no hay ningún algoritmo común ({what}): ofrece {theirs}; LNbits puede usar {ours}. Permita ahí uno de estos, en sshd_config: {option}',
    nothing_lost: 'LNbits no ha perdido nada: no hay nada que pagar de nuevo.',
    nothing_to_adopt:
      'No hay nada que adoptar: se conoce cada pago nuestro que LNbits ha registrado.',
    nothing_to_close: 'No está en camino: no hay nada que cerrar.',
    nothing_to_compare:
      'Aún no hay ventas con las que comparar los métodos de comisión.',
    nothing_to_decide:
      'No hay nada que decidir sobre esta transacción (estado: {state}).',
    nothing_to_retry:
      'No hay nada que volver a intentar en este pago (estado: {state}).',
    nothing_to_settle: 'no queda nada en {currency} por liquidar',
    odd_answer: 'no respondió como debe: {reason}',
    odd_character: 'contiene un carácter que no es texto',
    off_known_rate:
      '{sats} sats por {fiat} {code} se apartan de la cotización que conoce LNbits, {rate} por bitcoin, en más de un factor de {factor}.',
    off_own_price:
      '{sats} sats por {cash} {code} no cuadran con su propio raw_ticker_price de {price} dentro de un factor de {factor}',
    older_database:
      'No se paga ni se acredita nada: LNbits registró {n} pagos nuestros que la base de datos de la extensión no conoce. Es más antigua que la de LNbits, como tras restaurar una copia.',
    one_machine: 'máquina {id}',
    only_dismissed: 'Sus montos no sirven; solo se puede descartar.',
    only_incoming: 'Solo se permiten pagos entrantes.',
    only_tried_again:
      'Está pagado, o una parte lo está: solo se puede volver a intentar.',
    open_sales_held:
      'Las ventas abiertas anteriores no suman lo mismo; quedan retenidas.',
    operator_asks_at_least: 'el operador pide al menos {sats} sats',
    operator_stopped: 'El operador ha detenido todos los reenvíos.',
    other_amount: 'respondió con una factura por otro monto',
    other_server_pays: 'Otro proceso de LNbits está en medio de un pago.',
    other_server_polls:
      'otro proceso de LNbits se ha hecho cargo de la consulta',
    others_may_write: 'otros pueden escribir en {path}',
    own_wallet_changed:
      'La billetera cambió desde entonces: configure el destino de nuevo.',
    own_wallet_holds_less:
      'Su billetera tiene {held} sats de los {waiting} que se podrían reenviar: salen cuando haya {threshold}.',
    packages_do_not_fit:
      'Lo que hay en {place} no corresponde a este Python {version} ({reason}).',
    packages_needed:
      'El túnel SSH necesita dos paquetes de Python junto a LNbits.',
    packages_not_used:
      'Lo que hay en {place} no se usa: {reason}. Todo debe pertenecer al usuario que ejecuta LNbits o a root, y nadie más puede escribir ahí.',
    packages_there:
      'Los dos paquetes del túnel SSH ya están: reinicie LNbits y los usará.',
    paid_before_again:
      'LNbits ha pagado una venta con este identificador que aún no vuelve a estar en los libros.',
    paid_but: 'Pagada, pero {reason}.',
    paid_but_error: 'Pagada, pero {reason}: {error}',
    part_by_plan: 'Según el plan, la parte del socio es de {sats} sats.',
    part_is_already: 'La parte del socio ya tiene otro estado ({state}).',
    partner_gone: 'Este socio ya no existe.',
    partner_has_left: 'La parte del socio en la comisión ha terminado.',
    partner_wallet_changed:
      'La billetera del socio cambió. Hay que configurar el destino de nuevo.',
    partner_wallet_is_gone:
      'La billetera del socio {name}, o su usuario, ya no existe: no se le puede pagar su parte de la comisión. Asígnele otra billetera.',
    partners_above_100: 'los porcentajes de los socios pasan juntos de 100',
    partners_above_all:
      'los socios recibirían el {percent} % de la comisión ({where}), más que toda ella',
    password_refused:
      'El servidor SSH no dejó entrar al usuario ‘{user}’ con esta contraseña ({reason}). Revise ssh_username y la contraseña, y que el servidor permita este modo de acceso.',
    paste_whole_file:
      '{reason}. Pegue el archivo entero, desde -----BEGIN hasta END-----.',
    paused_by_operator:
      'el operador le ha puesto en pausa; pídale que la termine',
    payment_adopted:
      'LNbits ha pagado {sats} sats ({kind}) por la venta {sale}. {note}',
    payment_decided_already: 'Este pago ya está confirmado o anulado.',
    payment_lost:
      'LNbits ha perdido este pago ({kind}) de {sats} sats, que estaba registrado: su base de datos es más antigua que la de la extensión.',
    payment_unknown:
      'LNbits ha registrado este pago ({kind}) de {sats} sats, pero ningún pago nuestro lo conoce: la base de datos de la extensión es más antigua que la de LNbits. Ventas: {sales}.',
    payout_not_confirmed: 'Confirmado, pero su pago no lo está.',
    period_too_long: 'un período dura como máximo {years} años',
    plan_says: 'El plan dice {sats} sats; no se paga de nuevo.',
    poll_running:
      'Hay una consulta en marcha. Espere a que termine y vuelva a intentarlo.',
    polls_fail:
      'Fallan las consultas; no se pierde nada y se intentan de nuevo. {error}',
    postgres_refused:
      'PostgreSQL en {where} rechazó al usuario ‘{user}’ ({reason}). Revise el usuario, la contraseña y pg_hba.conf.',
    postgres_session:
      'PostgreSQL {version}, sesión de solo lectura como {user}; {link}.',
    programme_currency: 'la de este programa es {currency}',
    purchase_failed:
      'Aún no se pudo pagar. Se intenta de nuevo; pregunte al operador si sigue así.',
    purchase_given_up: 'Se abandonó; el efectivo está de nuevo en su saldo.',
    purchase_waits:
      'Espera hasta que la billetera del operador alcance a cubrirlo.',
    query_taken_back:
      'La base de datos de la máquina retiró la consulta ({reason}). Una réplica (hot standby) lo hace cuando la primaria cambia lo que se lee: ponga ahí hot_standby_feedback = on o un max_standby_streaming_delay mayor, o lea la primaria.',
    rate_not_positive: 'la cotización tiene que ser mayor que cero',
    reading_failed:
      'Falló la lectura de la base de datos de la máquina ({reason}). Revise que sea la de Lamassu.',
    reading_took_too_long:
      'La lectura de la máquina no terminó en {seconds} s y se abandonó: su base de datos o el servidor SSH no avanzan, o la línea es muy lenta. Revíselos; baje look_back_days si hay mucho que leer.',
    registered_already: 'Usted ya está registrado.',
    registration_closed:
      'El registro está cerrado: pida al operador que le agregue.',
    retry_it: 'Vuelva a intentar este pago (estado: {state}).',
    right_missing:
      'Falta un permiso: {reason}. Ejecute ahí como dueño: GRANT USAGE ON SCHEMA public, o de nuevo todo el SQL del rol (static/sql/role.sql).',
    sale_not_told: '(no se dice)',
    sale_sums:
      '{sats} sats frente a {commission} de comisión + {share_sats} en {shares} partes + {left} sin distribuir; efectivo {fiat} frente a {share_fiat} + {left_fiat} (unidades menores).',
    sales_and_actions: 'Se pueden leer cash_out_txs y cash_out_actions.',
    sales_concerned: 'Ventas afectadas: {sales}.',
    sales_concerned_more: 'Ventas afectadas: {sales} y {n} más.',
    sales_concerned_unknown: 'Ventas afectadas: los pagos no las dicen.',
    sales_found: 'Ventas terminadas desde el {day}: {n}.',
    sales_found_others:
      'Ventas terminadas desde el {day}: {n}; pagadas cuyo efectivo no ha salido (todo): {others}.',
    sales_not_said: 'no dice cuáles',
    sales_stuck:
      'Ventas cuyo abono o comisión falló: {n}. Vea el motivo y reintente.',
    sales_wait:
      'Ventas que esperan su decisión desde hace más de {hours} horas: {n}. Repártalas o descártelas.',
    sales_without_actions:
      'Se puede leer cash_out_txs. cash_out_actions no: la hora de una venta es entonces la de su confirmación, y las entregas parciales no muestran conteos.',
    same_database:
      'Ventas de esta base de datos que se conocen de la anterior, por sus identificadores y montos: {n}. Ninguna se reparte otra vez. Si es la misma base de datos en otro lugar, todo está bien.',
    secret_unreadable:
      'no se puede descifrar el secreto guardado; ingréselo de nuevo.',
    secrets_again:
      'Ingrese de nuevo en la configuración: {names}. La clave secreta de LNbits (AUTH_SECRET_KEY) no es aquella con la que se guardaron.',
    secrets_lost:
      'No se pueden leer los secretos guardados ({names}): la clave secreta de LNbits ha cambiado. Ingréselos de nuevo en la configuración.',
    set_it_again: 'Configúrelo de nuevo, o elija otro.',
    settings_complete: 'Los ajustes están completos.',
    settled_sats: '{amount} {currency} serían {sats} sats',
    share_by_plan: 'Según el plan, la parte del cliente es de {sats} sats.',
    share_is_already: 'La parte del cliente ya tiene otro estado ({state}).',
    shared_wallet:
      'es una billetera compartida de otro usuario; indique una propia',
    shares_failed:
      'Pagos fallidos: {n}, de {sats} sats. Vea el motivo y reintente.',
    source_wallet_below:
      'La billetera de origen tiene {balance} sats, menos de {limit}. Recárguela.',
    source_wallet_gone:
      'La billetera de origen {wallet} ya no existe: elija otra.',
    source_wallet_is_gone:
      'La billetera de origen {wallet} ya no existe: no se puede pagar nada. Elija otra en la configuración.',
    source_wallet_misses:
      'A la billetera de origen le faltan {missing} sats: tiene {balance}. Los clientes cobran en cuanto la recargue.',
    source_wallet_short:
      'En espera: a la billetera de origen le faltan {sats} sats.',
    ssh_answers: 'Responde un servidor SSH en {where}.',
    standby_conflict:
      'La base de datos de la máquina es una réplica (hot standby) y terminó la sesión, probablemente por un conflicto de recuperación (su primaria cambió lo que se leía): ponga ahí hot_standby_feedback = on o un max_standby_streaming_delay mayor, o lea la primaria.',
    super_user_credits:
      'hace que LNbits cree saldo por la palabra de la máquina, así que solo el superusuario puede activarlo.',
    super_user_while_crediting:
      'solo el superusuario puede cambiarlo mientras se acredita.',
    terms_changed:
      'las condiciones han cambiado. Léalas de nuevo y después acepte.',
    test_is_its_owners: 'Repetir una prueba le toca a quien la envió.',
    test_needs_sats:
      'Una prueba necesita {amount} sats y una tarifa, y esperan {waiting} sats. Vuelva a intentarlo cuando el programa haya traído más.',
    threshold_needed: 'indique el número de sats desde el que se envían',
    ticker_price_hidden:
      'Su raw_ticker_price no: las entradas de efectivo con una tarifa fija esperan entonces una revisión y no se pueden distribuir. Ejecute ahí como dueño: {grant};',
    time_form: 'indíquela como HH:MM, por ejemplo 09:00',
    time_odd: 'su hora es {time}',
    too_few_items: 'tiene que tener al menos {limit} elementos',
    too_little_held:
      'El destino acepta al menos {least} sats, y la billetera tiene {held}. Sale en cuanto haya suficientes.',
    too_little_waits:
      'El destino acepta al menos {least} sats, y esperan {waiting}, de los que una parte se reserva para comisiones. Sale en cuanto haya suficientes.',
    too_long: 'puede tener como máximo {limit} caracteres',
    too_many_decimals: 'tiene más decimales que los {decimals} de {currency}',
    too_many_items: 'puede tener como máximo {limit} elementos',
    too_many_places: 'puede tener como máximo {limit} decimales',
    too_many_rows:
      'Más de {rows} filas por leer a la vez. Baje look_back_days en la configuración; si ya es bajo, eso no es el trabajo de una máquina.',
    too_short: 'tiene que tener al menos {limit} caracteres',
    totals_differ:
      'Los totales en {currency} difieren de las sumas de sus filas: {sums}.',
    transfer_sums:
      'Sus pagos suman {paid} sats, y lo que lleva son {carried} sats.',
    trial_clients:
      'los clientes de prueba solo se crean cuando LNbits funciona con DEBUG=true',
    unexpected: '{kind} inesperado; vea el registro de LNbits.',
    unreadable_invoice: 'respondió con una factura que no se puede leer',
    void_open_shares:
      'Una parte de esta venta ya está registrada, o ya se decidió sobre ella: anule las partes abiertas.',
    wait_between_payments:
      'En espera: LNbits pide {seconds} segundos entre pagos.',
    wait_for_the_other:
      'Otro reenvío está en camino. Vuelva a intentarlo cuando haya terminado.',
    wallet_changed_meanwhile:
      'se cambió mientras tanto. Mire de nuevo y vuelva a intentarlo.',
    wallet_does_not_exist: 'La billetera {wallet} ya no existe.',
    wallet_is_a_clients:
      'es la billetera de un cliente; elija una de las suyas',
    wallet_may_not_receive: 'La billetera {wallet} no puede recibir pagos.',
    wallet_of_another_client: 'ya es la billetera de otro cliente',
    wallet_of_client: 'ya es la billetera del cliente {name}',
    wallet_of_no_admin: 'esta billetera no pertenece a un administrador',
    wallet_of_programme:
      'es la billetera de origen o de comisión del propio programa; los sats de un cliente se mezclarían con los del operador',
    wallet_pays_partners: 'es la billetera de origen, que paga a los socios',
    wallet_receives_nothing: 'esta billetera no puede recibir pagos',
    wallet_sends_nothing: 'esta billetera no puede enviar pagos',
    webhook_answered: 'El webhook respondió.',
    webhook_answered_odd: 'El webhook respondió {status}, no un 2xx.',
    webhook_failed: 'El webhook no respondió ({reason}).',
    webhook_gone: 'Ya no hay ningún webhook.',
    webhook_private:
      'lleva a {address}, una dirección privada, que LNbits no permite (LNBITS_CALLBACK_ALLOW_PRIVATE_IPS).',
    webhook_silent: 'El webhook no respondió en {seconds} s.',
    without_fixed_fee:
      'Esto es sin la tarifa fija, que no se puede leer: donde la hay, margin sale demasiado alto. Ejecute ahí como dueño: {grant};',
    worth_of_notes_hidden:
      'No se puede saber cuánto vale un billete de cada casete: es opcional, {grant};',
    worth_too_much: 'Ninguna venta de una máquina vale más de {sats} sats.',
    you_have_left: 'Usted dejó el programa: ya no se reenvía nada.',
    you_left:
      'Usted ha dejado el programa. Regístrese de nuevo para participar.',
    your_part_has_ended:
      'Su parte de la comisión ha terminado: ya no se reenvía nada.'
  },
  transaction_dialog: {
    take_back: 'Revertir',
    take_back_this_sale: '¿Revertir esta venta?',
    take_back_text:
      'Nada de ella se acreditó ni se pagó. Su efectivo vuelve a los clientes, y nunca se reparte.',
    sale_taken_back: 'Venta revertida',
    cash_in_is_shared:
      'Lo que se envió al comprador se reparte entre los clientes, por todo el efectivo, y se paga de la billetera de origen; la comisión se suma aparte.',
    direction: 'Dirección',
    sent_to_the_customer: 'Enviado al comprador',
    a_person_has_to_decide: 'Una persona tiene que decidir',
    base: 'Base',
    cash_out: 'Efectivo que de verdad salió ({currency}, opcional)',
    client: 'Cliente',
    commission_wallet: 'Billetera de comisión',
    credit_of_the_source_wallet: 'Abono a la billetera de origen',
    dismiss: 'Descartar',
    dismiss_this_sale: '¿Descartar esta venta?',
    distribute: 'Distribuir',
    distribute_this_sale: '¿Distribuir esta venta?',
    distribution: 'Distribución',
    error: 'Error',
    fiat_of_the_sale: 'Efectivo de la venta',
    fiat_per_bitcoin_of_the: 'Moneda local por bitcoin de la base',
    for_cash_of: 'Por efectivo de',
    it_is_shared_among_the:
      'Se reparte entre los clientes como cualquier otra venta, y los sats se pagan.',
    kept_with_the_payment: 'Se guarda con el pago',
    kept_with_the_transaction: 'Se guarda con la transacción',
    lamassu_id: 'id de la transacción de Lamassu',
    lamassu_transaction: 'Transacción de Lamassu',
    leave_empty_if_it_was: 'Déjelo vacío si fue el monto completo.',
    no_client_has_a_part: 'Ningún cliente tiene parte en esta venta.',
    none_stays_in_the_source: 'Ninguna: queda en la billetera de origen',
    not_shared: '{fiat}, sin repartir',
    not_through: '{payments} aún sin completar',
    notes: 'Notas: {notes}',
    notes_optional: 'Notas (opcional)',
    nothing_is_left_over: 'No sobra nada',
    nothing_of_it_is_shared:
      'No se reparte ni se paga nada de ella. Queda en los registros como descartada.',
    open_payments: 'Pagos abiertos',
    paid: 'Pagado',
    payment_state: 'Pago: {state}',
    payment_voided: 'Pago anulado',
    price: 'Precio',
    read_by_lnbits: 'Leída por LNbits',
    reason: 'Motivo',
    records: 'Registros',
    retry_all: 'Reintentar todo',
    retry_payment: 'Reintentar pago',
    reviewed_because: 'Revisada porque: {reason}',
    sale_dismissed: 'Venta descartada',
    sale_distributed: 'Venta distribuida',
    sats: 'Sats',
    shared_among_clients: 'Repartido entre clientes',
    stays: '{fiat}, queda en la billetera de origen',
    the_sats_are_not_sent:
      'Los sats no se envían, y el efectivo que representan regresa al saldo del cliente. El pago queda en los registros como anulado.',
    the_sats_are_sent_from:
      'Los sats se envían de la billetera de origen a la del cliente. Un pago que ya se hizo no se envía dos veces.',
    the_sats_are_sent_from_2:
      'Los sats se envían de la billetera de origen. Los pagos que ya se hicieron no se envían dos veces.',
    this_sale_was_not_shared: 'Esta venta no se repartió.',
    this_transaction_is_not_there: 'Esta transacción no existe.',
    total: 'Total',
    total_sats: 'Total de sats',
    transaction: 'Transacción',
    try_all_open_payments_of:
      '¿Intentar de nuevo todos los pagos abiertos de esta venta?',
    try_this_payment_again: '¿Intentar este pago de nuevo?',
    undistributed: 'Sin distribuir',
    void_payment: 'Anular pago',
    void_this_payment: '¿Anular este pago?',
    why_it_is_dismissed: 'Por qué se descarta'
  },
  transactions: {
    direction: 'Dirección',
    base: 'Base',
    clients: 'Clientes',
    commission: 'Comisión',
    commission_of: 'Comisión {n}',
    currency: 'Moneda',
    details_of: 'Detalles de la venta del {time}',
    distributed: 'Distribuido',
    distributed_of: 'Distribuido {n}',
    distributions: 'Distribuciones',
    export: 'Exportar transacciones',
    kind: 'Tipo',
    machine: 'Máquina',
    machine_or_lamassu_id: 'Máquina o id de Lamassu',
    no_transactions_yet: 'Aún no hay transacciones',
    period: 'Tiempo',
    real_sales: 'Ventas reales',
    sales_of_the_machine_appear:
      'Las ventas de la máquina aparecen aquí después de una consulta. Presione Consulta manual para leerlas ahora.',
    sales_of_the_machine_appear_2:
      'Las ventas de la máquina aparecen aquí cuando su base de datos esté conectada.',
    search_transactions: 'Buscar transacciones',
    set_up_the_connection: 'Configurar la conexión',
    status: 'Estado',
    test: 'Prueba',
    tests: 'Pruebas',
    time_machine: 'Hora, máquina',
    total: 'Total',
    total_of: 'Total {n}',
    transactions: 'Transacciones',
    undistributed: 'Sin distribuir',
    undistributed_of: 'Sin distribuir {n}',
    unknown_machine: 'Máquina desconocida'
  },
  triggers: {
    hourly: 'Por sí sola',
    manual: 'A mano',
    startup: 'Al iniciar'
  },
  units: {
    cassette: 'Casete',
    recycler: 'Reciclador'
  },
  ways: {
    cash_in: 'Alguien compró bitcoin en la máquina',
    cash_out: 'Alguien vendió bitcoin en la máquina',
    settle_out: 'Liquidado por el operador'
  },
  withdraw: {
    any_machine: 'En cualquier máquina',
    from: 'Del efectivo',
    all: 'Todo',
    all_of_it: 'Todo el saldo',
    amount: 'Monto a retirar',
    at_most: 'Como máximo {amount}',
    done: '{amount} retirados',
    go_on: 'Seguir',
    question: '¿Retirar {amount}?',
    question_text:
      'Entregue el efectivo y luego confirme: el saldo del cliente baja en ese monto. No se puede deshacer.',
    reason_hint: 'El cliente lo ve en el estado de cuenta',
    say_why: 'Dé un motivo.',
    text: '{name} recibe efectivo de vuelta, del saldo que no se ha vuelto sats.',
    too_much: 'Más que el saldo que queda.',
    withdraw: 'Retirar {amount}',
    withdraw_cash: 'Retirar efectivo'
  }
}
