"""The Gradio front end. It imports diml_core; diml_core never imports it."""
