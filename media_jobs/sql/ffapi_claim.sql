CREATE OR REPLACE FUNCTION public.ffapi_claim(the_lane text, the_slot text, the_host text, lease_s double precision, memory_mb integer, scratch_mb integer, half_life_s double precision, default_cap integer, silent interval)
 RETURNS text
 LANGUAGE plpgsql
AS $function$
DECLARE
    tenant record;
    job record;
    running int;
    room_mb int;
    space_mb int;
    share int;
BEGIN
    -- Caps and room are counted and then used: nobody else may claim in between.
    PERFORM pg_advisory_xact_lock(hashtext('ffapi_claim'));
    IF EXISTS (SELECT FROM media_jobs_pausedlane WHERE lane = the_lane) THEN
        RETURN NULL;
    END IF;
    SELECT count(*), ffapi_claim.memory_mb - coalesce(sum(r.memory_mb), 0),
           ffapi_claim.scratch_mb - coalesce(sum(r.scratch_mb), 0)
      INTO running, room_mb, space_mb
      FROM media_jobs_job r WHERE r.status = 'running' AND r.host = the_host;
    share := ffapi_default_cap(the_lane, default_cap, silent);
    FOR tenant IN
        -- A step in the index for each tenant that has jobs waiting, however many they are.
        WITH RECURSIVE waiting AS (
            (SELECT j.tenant_id FROM media_jobs_job j
              WHERE j.status = 'queued' AND j.lane = the_lane ORDER BY j.tenant_id LIMIT 1)
            UNION ALL
            SELECT (SELECT j.tenant_id FROM media_jobs_job j
                     WHERE j.status = 'queued' AND j.lane = the_lane
                       AND j.tenant_id > waiting.tenant_id ORDER BY j.tenant_id LIMIT 1)
              FROM waiting WHERE waiting.tenant_id IS NOT NULL
        )
        SELECT t.id, t.max_concurrent_jobs AS cap, coalesce(s.typical_cpu_seconds, 1) AS typical
          FROM waiting
          JOIN accounts_tenant t ON t.id = waiting.tenant_id
          LEFT JOIN media_jobs_fairshare s ON s.tenant_id = t.id
         WHERE t.is_active AND t.quota_suspended_at IS NULL
         ORDER BY ffapi_recent(s.cpu_seconds, s.as_of, half_life_s), t.id
    LOOP
        CONTINUE WHEN tenant.cap <= (
            SELECT count(*) FROM media_jobs_job r
             WHERE r.status = 'running' AND r.tenant_id = tenant.id);
        CONTINUE WHEN tenant.cap IS NULL AND share <= (
            SELECT count(*) FROM media_jobs_job r
             WHERE r.status = 'running' AND r.tenant_id = tenant.id AND r.lane = the_lane);
        SELECT j.id, j.attempt INTO job FROM media_jobs_job j
          LEFT JOIN accounts_apikey k ON k.id = j.api_key_id
         WHERE j.status = 'queued' AND j.lane = the_lane AND j.tenant_id = tenant.id
           AND j.run_at <= statement_timestamp()
           AND (k.max_concurrent_jobs IS NULL OR k.max_concurrent_jobs > (
                SELECT count(*) FROM media_jobs_job r
                 WHERE r.status = 'running' AND r.api_key_id = k.id))
           -- What is too large for the whole host runs alone.
           AND (j.memory_mb <= room_mb OR running = 0)
           AND j.scratch_mb <= space_mb
         ORDER BY j.rank, j.id LIMIT 1 FOR UPDATE OF j SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        UPDATE media_jobs_job j
           SET status = 'running', attempt = j.attempt + 1, slot = the_slot, host = the_host,
               lease_until = statement_timestamp() + make_interval(secs => lease_s),
               started_at = coalesce(j.started_at, statement_timestamp()),
               progress = '{"percent": 0.0, "stage": "starting"}'
         WHERE j.id = job.id;
        INSERT INTO media_jobs_jobevent (job_id, at, from_status, to_status, attempt, reason)
        VALUES (job.id, statement_timestamp(), 'queued', 'running', job.attempt + 1, 'claimed by ' || the_slot);
        INSERT INTO media_jobs_jobattempt (job_id, number, slot, started_at, outcome, log, receipt)
        VALUES (job.id, job.attempt + 1, the_slot, statement_timestamp(), '', '', '{}');
        PERFORM ffapi_charge(tenant.id, tenant.typical, half_life_s);
        PERFORM pg_notify('ffapi_jobs', job.id);
        RETURN job.id;
    END LOOP;
    RETURN NULL;
END $function$;
