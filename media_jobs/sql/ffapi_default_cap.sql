CREATE OR REPLACE FUNCTION public.ffapi_default_cap(the_lane text, wanted integer, silent interval)
 RETURNS integer
 LANGUAGE sql
 STABLE
AS $function$
    SELECT CASE
        WHEN wanted > 0 THEN wanted
        WHEN wanted = 0 AND lane_has.slots > 1 AND (
            SELECT count(*) FROM (SELECT FROM accounts_tenant WHERE is_active LIMIT 2) AS active
        ) > 1 THEN lane_has.slots - 1
    END
    FROM (SELECT count(*)::int AS slots FROM media_jobs_slot
           WHERE lane = the_lane AND heartbeat_at > statement_timestamp() - silent
             AND coalesce((sandbox->>'allowed')::boolean, true)) AS lane_has
$function$;
