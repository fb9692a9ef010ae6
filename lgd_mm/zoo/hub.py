"""What ``mmpretrain.list_models`` and ``mmpretrain.get_model`` know of lgd_mm."""

from types import ModuleType


def join_model_hub(module: ModuleType) -> None:
    """Let mmpretrain's hub list the models of lgd_mm and of the local zoo whenever it is asked for its own.

    Args:
        module (ModuleType): ``mmpretrain.apis.model``.
    """
    hub = module.ModelHub
    register_theirs = hub._register_mmpretrain_models

    def register(cls: type) -> None:
        from lgd_mm.zoo.index import ModelEntry, known_models  # here: `import lgd_mm` need not wait for what reads YAML

        register_theirs()
        models = {name: model for name, model in hub._models_dict.items() if not isinstance(model, ModelEntry)}
        for model in known_models():
            models.setdefault(model.name, model)
        hub._models_dict = models

    hub._register_mmpretrain_models = classmethod(register)
