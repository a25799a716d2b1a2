"""The files of ICT-FaceKit's light model as arrays: what is drawn of its mesh, and how it is displaced."""

from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, UInt8

from fer_zoo.core.blendshapes import BLENDSHAPES
from fer_zoo.core.errors import UserError
from fer_zoo.core.files import read_record
from fer_zoo.core.landmarks import NUM_LANDMARKS
from fer_zoo.faces.models.ict.ambient import ambient
from fer_zoo.faces.models.ict.obj_files import AGAIN, read_polygons, read_vertices
from fer_zoo.faces.models.ict.regions import BALLS, FRONTAL_JAW, NUM_IDENTITIES, NUM_VERTICES, REGIONS
from fer_zoo.faces.models.ict.topology import drawn_triangles, texture_places
from fer_zoo.faces.models.ict.visible import seen

FOLDER = "FaceXModel"
ARCHIVE_FOLDER = "ICT-FaceKit-master"  # the public archive puts everything into one folder
NEUTRAL = "generic_neutral_mesh.obj"
INDICES = "vertex_indices.json"
BY_VERTEX = ("neutral", "identities", "actions", "original", "uv", "ambient")
_REGION_NAMES = tuple(REGIONS)


@dataclass(frozen=True, kw_only=True)
class IctMesh:
    """The mesh in centimetres; axes as in `FaceModel`.

    Attributes:
        neutral: the mean face.
        identities: displacement at one standard deviation of each mode.
        actions: displacement at 1 of each of the 51 blendshapes.
        original: each vertex's number in the files.
        triangles: corners, counter-clockwise seen from outside.
        region: of each triangle, its place in `REGIONS`.
        landmarks: vertices of the 68, the jaw as seen from the front.
        uv: place in the texture, origin at the top left; (0, 0) outside the face.
        in_map: triangles of the face whose corners lie together in the texture.
        ambient: what ambient light reaches each vertex, 1 for all of it.
    """

    neutral: Float64[np.ndarray, "v 3"]
    identities: Float32[np.ndarray, "v 3 100"]
    actions: Float32[np.ndarray, "v 3 51"]
    original: Int64[np.ndarray, " v"]
    triangles: Int64[np.ndarray, "t 3"]
    region: UInt8[np.ndarray, " t"]
    landmarks: Int64[np.ndarray, " 68"]
    uv: Float64[np.ndarray, "v 2"]
    in_map: Bool[np.ndarray, " t"]
    ambient: Float64[np.ndarray, " v"]

    def of(self, *regions: str) -> Bool[np.ndarray, " t"]:
        """Whether a triangle belongs to one of these regions."""
        return np.isin(self.region, [_REGION_NAMES.index(name) for name in regions])

    def vertices_of(self, *regions: str) -> Bool[np.ndarray, " v"]:
        """Whether a vertex belongs to one of these regions."""
        inside = np.zeros(len(self.neutral), dtype=bool)
        for name in regions:
            inside |= (self.original >= REGIONS[name].first_vertex) & (self.original < REGIONS[name].stop_vertex)
        return inside

    def kept(self, triangles: Bool[np.ndarray, " t"]) -> "IctMesh":
        """The mesh of some of the triangles and their vertices alone."""
        used, corners = np.unique(self.triangles[triangles], return_inverse=True)
        place = np.full(len(self.neutral), -1)
        place[used] = np.arange(len(used))
        values = {name: value[used] for name, value in self.arrays().items() if name in BY_VERTEX}
        values |= {"region": self.region[triangles], "in_map": self.in_map[triangles]}
        return replace(self, triangles=corners.reshape(-1, 3), landmarks=place[self.landmarks], **values)

    def arrays(self) -> dict[str, np.ndarray]:
        """All fields by name."""
        return {item.name: getattr(self, item.name) for item in fields(self)}


def folder_of(root: Path) -> Path:
    """Where the OBJ files lie below a copy of ICT-FaceKit.

    Raises:
        UserError: if they are not there.
    """
    for folder in (root / FOLDER, root / ARCHIVE_FOLDER / FOLDER):
        if folder.is_dir():
            return folder
    raise UserError(f"{root} is not a copy of ICT-FaceKit: the folder {FOLDER} is not there; {AGAIN}.")


def source_files(folder: Path) -> list[Path]:
    """The files that are read, the neutral face first.

    Raises:
        UserError: naming the first that is not there.
    """
    shapes = [name for blendshape in BLENDSHAPES for name in blendshape.ict]
    identities = [f"identity{number:03d}" for number in range(NUM_IDENTITIES)]
    files = [folder / NEUTRAL, folder / INDICES, *(folder / f"{name}.obj" for name in (*identities, *shapes))]
    for file in files:
        if not file.is_file():
            raise UserError(f"{file} is not there: {AGAIN}.")
    return files


def parse(folder: Path) -> IctMesh:
    """Reads all files, 10 seconds on one core, and drops what never shows.

    Raises:
        UserError: for a file that is missing, damaged or of another mesh.
    """
    source_files(folder)
    neutral, polygons = read_vertices(folder / NEUTRAL), read_polygons(folder / NEUTRAL)
    landmarks = _landmarks(folder / INDICES)
    identities = np.empty((NUM_VERTICES, 3, NUM_IDENTITIES), dtype=np.float32)
    for mode in range(NUM_IDENTITIES):
        identities[:, :, mode] = read_vertices(folder / f"identity{mode:03d}.obj") - neutral
    actions = np.zeros((NUM_VERTICES, 3, len(BLENDSHAPES)), dtype=np.float32)
    for action, blendshape in enumerate(BLENDSHAPES):
        for name in blendshape.ict:
            actions[:, :, action] += read_vertices(folder / f"{name}.obj") - neutral
    for name in BALLS:  # no shape of theirs moves a ball; `FaceModel` turns them
        actions[REGIONS[name].first_vertex : REGIONS[name].stop_vertex] = 0
    triangles, region = drawn_triangles(neutral, polygons)
    uv, in_map = texture_places(polygons)
    whole = IctMesh(
        neutral=neutral,
        identities=identities,
        actions=actions,
        original=np.arange(NUM_VERTICES),
        triangles=triangles,
        region=region,
        landmarks=landmarks,
        uv=uv,
        ambient=np.ones(NUM_VERTICES),
        in_map=np.concatenate([in_map, np.zeros(len(triangles) - len(in_map), dtype=bool)]),
    )
    drawn = whole.kept(whole.of("face", "head", *BALLS) | seen(whole))
    return replace(drawn, ambient=ambient(drawn))


def _landmarks(path: Path) -> Int64[np.ndarray, " 68"]:
    """The model's own 68 vertices, with the jaw as it is seen from the front."""
    numbers = read_record(path).get("idx_to_landmark_verts")
    right = isinstance(numbers, list) and len(numbers) == NUM_LANDMARKS and all(type(item) is int for item in numbers)
    stop = REGIONS["face"].stop_vertex
    if not isinstance(numbers, list) or not right or not all(0 <= number < stop for number in numbers):
        raise UserError(f"{path} holds no 68 vertices of the face as idx_to_landmark_verts: {AGAIN}.")
    return np.array([*FRONTAL_JAW, *numbers[len(FRONTAL_JAW) :]], dtype=np.int64)
