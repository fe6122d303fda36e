CREATE OR REPLACE FUNCTION public.ffapi_settle(the_tenant text, used_cpu_s double precision, used_wall_s double precision, half_life_s double precision)
 RETURNS void
 LANGUAGE sql
AS $function$
    UPDATE media_jobs_fairshare AS s SET
        as_of = statement_timestamp(),
        cpu_seconds = greatest(ffapi_recent(s.cpu_seconds, s.as_of, half_life_s)
                               + used_cpu_s - s.typical_cpu_seconds, 0),
        typical_cpu_seconds = 0.8 * s.typical_cpu_seconds + 0.2 * used_cpu_s,
        typical_wall_seconds = 0.8 * s.typical_wall_seconds + 0.2 * used_wall_s
    WHERE s.tenant_id = the_tenant
$function$;
