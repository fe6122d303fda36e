CREATE POLICY isolation ON storage_file FOR ALL
    USING ((( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting) = '*'::text) OR ((tenant_id)::text = ( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting)));
