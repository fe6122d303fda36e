CREATE OR REPLACE FUNCTION public.ffapi_charge(the_tenant text, cost_cpu_s double precision, half_life_s double precision)
 RETURNS void
 LANGUAGE sql
AS $function$
    INSERT INTO media_jobs_fairshare AS s
        (tenant_id, cpu_seconds, as_of, typical_cpu_seconds, typical_wall_seconds)
    VALUES (the_tenant, greatest(cost_cpu_s, 0), statement_timestamp(), 1, 1)
    ON CONFLICT (tenant_id) DO UPDATE SET as_of = statement_timestamp(), cpu_seconds =
        greatest(ffapi_recent(s.cpu_seconds, s.as_of, half_life_s) + cost_cpu_s, 0)
$function$;
