CREATE POLICY isolation ON accounts_apikey FOR ALL
    USING ((( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting) = '*'::text) OR ((tenant_id)::text = ( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting)));

CREATE POLICY isolation ON accounts_auditcheckpoint FOR ALL
    USING ((( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting) = '*'::text) OR ((tenant_id)::text = ( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting)));

CREATE POLICY appended ON accounts_auditrecord FOR INSERT
    WITH CHECK (tenant_id IS NULL);

CREATE POLICY isolation ON accounts_auditrecord FOR ALL
    USING ((( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting) = '*'::text) OR ((tenant_id)::text = ( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting)));

CREATE POLICY isolation ON accounts_auditsignature FOR ALL
    USING ((( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting) = '*'::text) OR ((tenant_id)::text = ( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting)));

CREATE POLICY isolation ON accounts_idempotentrequest FOR ALL
    USING ((( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting) = '*'::text) OR ((tenant_id)::text = ( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting)));

CREATE POLICY isolation ON accounts_invitation FOR ALL
    USING ((( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting) = '*'::text) OR ((tenant_id)::text = ( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting)));

CREATE POLICY isolation ON accounts_membership FOR ALL
    USING ((( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting) = '*'::text) OR ((tenant_id)::text = ( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting)));

CREATE POLICY isolation ON accounts_quotaalert FOR ALL
    USING ((( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting) = '*'::text) OR ((tenant_id)::text = ( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting)));

CREATE POLICY isolation ON accounts_quotacounter FOR ALL
    USING ((( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting) = '*'::text) OR ((tenant_id)::text = ( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting)));

CREATE POLICY isolation ON accounts_storagehold FOR ALL
    USING ((( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting) = '*'::text) OR ((tenant_id)::text = ( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting)));

CREATE POLICY isolation ON accounts_tenant FOR ALL
    USING ((( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting) = '*'::text) OR ((id)::text = ( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting)));

CREATE POLICY isolation ON accounts_usageentry FOR ALL
    USING ((( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting) = '*'::text) OR ((tenant_id)::text = ( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting)));
