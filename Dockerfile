# The app on a processor:
#
#     docker build -t diml-explorer .
#     docker run --rm -p 7860:7860 diml-explorer
#
# Behind a proxy that puts it below a path, say so: -e GRADIO_ROOT_PATH=/diml. To keep the embedded gallery between
# containers: -v diml-cache:/home/diml/.cache/diml-explorer.
FROM python:3.12-slim-bookworm

RUN useradd --create-home --uid 1000 diml \
    && install -d -o diml -g diml /home/diml/app /home/diml/.cache/diml-explorer
WORKDIR /home/diml/app

# Of one version of torch pip prefers the build with a local name, +cpu, which spares gigabytes of CUDA libraries.
COPY requirements.txt .
RUN pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu -r requirements.txt

COPY LICENSE app.py ./
COPY app app
COPY diml_core diml_core
COPY checkpoints checkpoints
COPY assets/examples assets/examples
COPY assets/keypoints.json assets/keypoints.json

USER 1000
ENV GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860 \
    PYTHONUNBUFFERED=1
EXPOSE 7860
# Answers at once whatever the network is busy with.
HEALTHCHECK --interval=30s --timeout=5s --start-period=90s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"GRADIO_SERVER_PORT\"]}/gradio_api/app_id', timeout=4)"]
CMD ["python", "app.py"]
