CREATE POLICY isolation ON media_jobs_fairshare FOR ALL
    USING ((( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting) = '*'::text) OR ((tenant_id)::text = ( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting)));

CREATE POLICY isolation ON media_jobs_job FOR ALL
    USING ((( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting) = '*'::text) OR ((tenant_id)::text = ( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting)));

CREATE POLICY isolation ON media_jobs_jobattempt FOR ALL
    USING ((( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting) = '*'::text) OR (EXISTS ( SELECT
   FROM media_jobs_job parent
  WHERE ((parent.id)::text = (media_jobs_jobattempt.job_id)::text))));

CREATE POLICY isolation ON media_jobs_jobevent FOR ALL
    USING ((( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting) = '*'::text) OR (EXISTS ( SELECT
   FROM media_jobs_job parent
  WHERE ((parent.id)::text = (media_jobs_jobevent.job_id)::text))));

CREATE POLICY isolation ON media_jobs_jobinput FOR ALL
    USING ((( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting) = '*'::text) OR (EXISTS ( SELECT
   FROM media_jobs_job parent
  WHERE ((parent.id)::text = (media_jobs_jobinput.job_id)::text))));

CREATE POLICY isolation ON media_jobs_joboutput FOR ALL
    USING ((( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting) = '*'::text) OR (EXISTS ( SELECT
   FROM media_jobs_job parent
  WHERE ((parent.id)::text = (media_jobs_joboutput.job_id)::text))));

CREATE POLICY isolation ON media_jobs_jobstep FOR ALL
    USING ((( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting) = '*'::text) OR (EXISTS ( SELECT
   FROM media_jobs_job parent
  WHERE ((parent.id)::text = (media_jobs_jobstep.job_id)::text))));

CREATE POLICY isolation ON media_jobs_webhookdelivery FOR ALL
    USING ((( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting) = '*'::text) OR ((tenant_id)::text = ( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting)));

CREATE POLICY isolation ON media_jobs_webhookendpoint FOR ALL
    USING ((( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting) = '*'::text) OR ((tenant_id)::text = ( SELECT current_setting('ffapi.tenant'::text, true) AS current_setting)));
