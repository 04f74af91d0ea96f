/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that another store made, taken over with their ids and times.  What is here already
 * stays as it is unless a function says otherwise. */
#ifndef TRACK_ADOPT_H
#define TRACK_ADOPT_H

#include "lib/track/experiment.h"
#include "lib/track/logged_model.h"

/* Ids of MLflow's file store have 18 digits.  Above there must be room for those to come. */
#define EXPERIMENT_ADOPT_MAX INT64_C(999999999999999999)

/* Finds the experiment of that name (out: e->id is its id here), or makes it with the id it
 * comes with, or with a new one where that is taken or out of range.  *made says which. */
int experiment_adopt(struct db *db, struct experiment *e, bool *made, struct mlp_error *err);
/* Sets a tag that is not there yet. */
int experiment_tag_adopt(struct db *db, int64_t id, const struct key_value *tag,
			 struct mlp_error *err);

/* A new run: its uuid, experiment_id, name, user, status, times and artifact_uri count.  Sets
 * its id. */
int run_adopt(struct db *db, struct run *run, struct mlp_error *err);
/* Name, status, end, trash and artifact_uri of a run that is here (by id); *changed is set when
 * one of them was another. */
int run_adopt_state(struct db *db, const struct run *run, bool *changed, struct mlp_error *err);
/* Sets where it is missing, a tag also where it is another and replace is given; *changed
 * is set when something was. */
int param_adopt(struct db *db, int64_t run, const struct key_value *param, bool *changed,
		struct mlp_error *err);
int tag_adopt(struct db *db, int64_t run, const struct key_value *tag, bool replace, bool *changed,
	      struct mlp_error *err);
/* Ties a run to its parent and its children, whichever of them are here, by the tag
 * mlflow.parentRunId.  A run that would become its own ancestor is left alone. */
int run_adopt_family(struct db *db, const struct run *run, struct mlp_error *err);

/* A model as it is, tags and parameters apart; deleted_ms: 0 when it is active.  One that is
 * here gets the status unless it is READY.  *made says whether it is new. */
int logged_model_adopt(struct db *db, const struct logged_model *m, int64_t deleted_ms, bool *made,
		       struct mlp_error *err);
int logged_model_param_adopt(struct db *db, const char *model, const struct key_value *param,
			     struct mlp_error *err);
int logged_model_tag_adopt(struct db *db, const char *model, const struct key_value *tag,
			   struct mlp_error *err);

#endif
