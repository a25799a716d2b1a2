"""Jobs, fitting, evaluation, prediction: Lightning is driven from here and nowhere else."""
