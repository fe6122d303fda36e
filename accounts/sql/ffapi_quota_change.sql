CREATE OR REPLACE FUNCTION public.ffapi_quota_change(the_tenant text, the_key text, at timestamp with time zone, names text[], windows text[], scales bigint[], used_by bigint[], reserved_by bigint[], is_checked boolean)
 RETURNS TABLE(subject text, name text, kind text, maximum bigint, used bigint, reserved bigint, window_start timestamp with time zone)
 LANGUAGE plpgsql
AS $function$
BEGIN
    RETURN QUERY SELECT * FROM ffapi_quota_change(
        the_tenant, the_key, at, names, windows, scales, used_by, reserved_by, is_checked, false);
END $function$;

CREATE OR REPLACE FUNCTION public.ffapi_quota_change(the_tenant text, the_key text, at timestamp with time zone, names text[], windows text[], scales bigint[], used_by bigint[], reserved_by bigint[], is_checked boolean, is_begun boolean)
 RETURNS TABLE(subject text, name text, kind text, maximum bigint, used bigint, reserved bigint, window_start timestamp with time zone)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
    of_tenant jsonb;
    of_key jsonb;
    is_suspended boolean;
    wanted record;
    told accounts_quotacounter;
    percent int;
BEGIN
    -- Limits may not change from here on, nor be counted anew: that takes the tenant's whole row.
    SELECT t.limits, t.quota_suspended_at IS NOT NULL INTO of_tenant, is_suspended
      FROM accounts_tenant t WHERE t.id = the_tenant FOR KEY SHARE;
    IF is_checked AND is_suspended AND NOT is_begun THEN
        RETURN QUERY SELECT the_tenant, '', 'suspended', 0::bigint, 0::bigint, 0::bigint, at;
        RETURN;
    END IF;
    IF the_key IS NOT NULL THEN
        SELECT k.quota INTO of_key
          FROM accounts_apikey k WHERE k.id = the_key AND k.tenant_id = the_tenant;
    END IF;
    IF NOT (of_tenant ?| names OR coalesce(of_key ?| names, false)) THEN
        RETURN;
    END IF;
    FOR wanted IN
        SELECT whose.id AS subject, w.name, (whose.limits ->> w.name)::bigint AS maximum, w.scale,
               w.used, w.reserved,
               CASE w.kind WHEN '' THEN 'epoch'::timestamptz ELSE date_trunc(w.kind, at, 'UTC') END
                   AS window_start
          FROM (VALUES (the_tenant, of_tenant), (the_key, of_key)) AS whose (id, limits)
          JOIN unnest(names, windows, scales, used_by, reserved_by)
               AS w (name, kind, scale, used, reserved) ON whose.limits ? w.name
         ORDER BY w.name, whose.id  -- in one order, so that nobody waits in a circle
    LOOP
        IF is_checked THEN
            INSERT INTO accounts_quotacounter AS c
                (tenant_id, subject, name, window_start, used, reserved, warned)
            SELECT the_tenant, wanted.subject, wanted.name, wanted.window_start,
                   wanted.used, wanted.reserved, 0
             WHERE wanted.used + wanted.reserved <= wanted.maximum * wanted.scale
                OR EXISTS (SELECT FROM accounts_quotacounter o
                    WHERE o.subject = wanted.subject AND o.name = wanted.name
                      AND o.window_start = wanted.window_start)
            ON CONFLICT (subject, name, window_start) DO UPDATE
               SET used = c.used + wanted.used, reserved = c.reserved + wanted.reserved
             WHERE c.used + c.reserved + wanted.used + wanted.reserved
                   <= wanted.maximum * wanted.scale
                -- What gives back more than it takes is never too much.
                OR wanted.used + wanted.reserved <= 0
            RETURNING c.* INTO told;
            IF NOT FOUND THEN
                RETURN QUERY SELECT wanted.subject::text, wanted.name, 'refused', wanted.maximum,
                    coalesce(c.used, 0), coalesce(c.reserved, 0), wanted.window_start
                  FROM (SELECT) AS one LEFT JOIN accounts_quotacounter c
                    ON c.subject = wanted.subject AND c.name = wanted.name
                   AND c.window_start = wanted.window_start;
                RETURN;
            END IF;
        ELSE
            -- The counters of a window that is over may be gone; nobody asks for them.
            UPDATE accounts_quotacounter c
               SET used = c.used + wanted.used, reserved = c.reserved + wanted.reserved
             WHERE c.subject = wanted.subject AND c.name = wanted.name
               AND c.window_start = wanted.window_start
            RETURNING c.* INTO told;
            CONTINUE WHEN NOT FOUND;
        END IF;
        percent := CASE
            WHEN told.used + told.reserved >= wanted.maximum * wanted.scale THEN 100
            WHEN (told.used + told.reserved) * 5 >= wanted.maximum * wanted.scale * 4 THEN 80
            WHEN (told.used + told.reserved) * 10 >= wanted.maximum * wanted.scale * 7 THEN 70
            ELSE 0 END;
        IF wanted.maximum > 0 AND percent >= 80 AND percent > told.warned THEN
            UPDATE accounts_quotacounter c SET warned = percent WHERE c.id = told.id;
            RETURN QUERY SELECT wanted.subject::text, wanted.name, percent::text, wanted.maximum,
                told.used, told.reserved, wanted.window_start;
        ELSIF percent < 70 AND told.warned > 0 AND wanted.window_start = 'epoch' THEN
            -- What has no window is warned of again once it has fallen well below.
            UPDATE accounts_quotacounter c SET warned = 0 WHERE c.id = told.id;
        END IF;
    END LOOP;
END $function$;
