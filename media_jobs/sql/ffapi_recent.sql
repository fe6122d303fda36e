CREATE OR REPLACE FUNCTION public.ffapi_recent(cpu_seconds double precision, as_of timestamp with time zone, half_life_s double precision)
 RETURNS double precision
 LANGUAGE sql
 STABLE
AS $function$
    SELECT coalesce(
        cpu_seconds * power(0.5, greatest(extract(epoch FROM statement_timestamp() - as_of), 0) / half_life_s), 0)
$function$;
