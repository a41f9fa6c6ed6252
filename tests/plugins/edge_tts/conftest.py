from counterparts.edge import edge

__all__ = ["edge"]
