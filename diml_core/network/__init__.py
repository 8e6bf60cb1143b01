"""From pixels to features: timm backbones with a head, their checkpoints, and the attention they record."""
