"""A model as an ONNX graph, and ONNX Runtime in torch's place. Needs the extra ``onnx``."""
