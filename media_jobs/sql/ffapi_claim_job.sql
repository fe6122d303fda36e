CREATE OR REPLACE FUNCTION public.ffapi_claim_job(the_lane text, the_slot text, the_host text, lease_s double precision, memory_mb integer, scratch_mb integer, half_life_s double precision, default_cap integer, silent interval)
 RETURNS SETOF media_jobs_job
 LANGUAGE plpgsql
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET enable_sort TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
DECLARE
    claimed text;
BEGIN
    claimed := ffapi_claim(the_lane, the_slot, the_host, lease_s, memory_mb, scratch_mb,
                           half_life_s, default_cap, silent);
    RETURN QUERY SELECT j.* FROM media_jobs_job j WHERE j.id = claimed;
END $function$;
