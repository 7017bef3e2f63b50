-- The role that LNbits reads a Lamassu machine's database with: it may read the columns that sales
-- consist of, and nothing else. Run it on the machine's server, in Lamassu's own database:
--
--     sudo -u postgres psql -d lamassu < role.sql
--     sudo -u postgres psql -d lamassu -c '\password dca_ro'
--
-- The second line asks for the role's password; so it stands in no file and no log. (Where there is
-- no psql: ALTER ROLE dca_ro PASSWORD '...'.)
-- It grants the columns that this version of Lamassu has. Run it again after an upgrade of Lamassu,
-- or with another choice below: the role then has exactly these rights, and keeps its password.

DO $role$
DECLARE
  reader CONSTANT text := 'dca_ro';
  cash_ins CONSTANT boolean := false;  -- true: cash-ins are shared out, too
  machines CONSTANT boolean := true;   -- false: no names of machines, and no counts of their notes
  wanted record;
  columns text;
BEGIN
  IF to_regclass('public.cash_out_txs') IS NULL THEN
    RAISE EXCEPTION 'There is no table cash_out_txs in %: run this in Lamassu''s own database.',
      current_database();
  END IF;
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = reader) THEN
    EXECUTE format('CREATE ROLE %I LOGIN', reader);
  END IF;
  EXECUTE format('ALTER ROLE %I SET default_transaction_read_only = on', reader);
  EXECUTE format('ALTER ROLE %I SET statement_timeout = %L', reader, '20s');
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), reader);
  EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', reader);

  -- %s stands for each place that holds notes: 1 to 4, recycler_1 to recycler_6.
  FOR wanted IN
    SELECT * FROM (VALUES
      ('cash_out_txs', true,
       'id device_id crypto_atoms received_crypto_atoms crypto_code fiat fiat_code status dispense '
       'dispense_confirmed error error_code created confirmed_at commission_percentage discount '
       'raw_ticker_price fixed_fee'),
      ('cash_out_actions', true,
       'id tx_id action created error error_code provisioned_%s dispensed_%s denomination_%s'),
      ('cash_in_txs', cash_ins,
       'id device_id crypto_atoms crypto_code fiat fiat_code send_confirmed operator_completed '
       'error created send_time commission_percentage discount cash_in_fee raw_ticker_price'),
      ('devices', machines,
       'device_id name last_online cassette1 cassette2 cassette3 cassette4 '
       'recycler1 recycler2 recycler3 recycler4 recycler5 recycler6'),
      ('unpaired_devices', machines, 'device_id name unpaired')
    ) AS list (table_name, granted, column_names)
    WHERE to_regclass('public.' || table_name) IS NOT NULL
  LOOP
    EXECUTE format('REVOKE ALL ON public.%I FROM %I', wanted.table_name, reader);
    SELECT string_agg(DISTINCT quote_ident(attname), ', ') INTO columns
      FROM unnest(string_to_array(wanted.column_names, ' ')) AS name
      CROSS JOIN unnest(ARRAY['1', '2', '3', '4', 'recycler_1', 'recycler_2', 'recycler_3',
                              'recycler_4', 'recycler_5', 'recycler_6']) AS place
      JOIN pg_attribute ON attname = replace(name, '%s', place)
      WHERE attrelid = to_regclass('public.' || wanted.table_name)
        AND attnum > 0 AND NOT attisdropped AND wanted.granted;
    IF columns IS NOT NULL THEN
      EXECUTE format('GRANT SELECT (%s) ON public.%I TO %I', columns, wanted.table_name, reader);
      RAISE NOTICE '% may read % of %', reader, columns, wanted.table_name;
    END IF;
  END LOOP;
END
$role$;
