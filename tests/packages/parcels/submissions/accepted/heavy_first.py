# Each parcel, heavy ones first, goes into the first truck that it fits into.
input()
weights = list(map(int, input().split()))
trucks, room = [0] * len(weights), []
for parcel in sorted(range(len(weights)), key=lambda parcel: -weights[parcel]):
    for truck, left in enumerate(room):
        if weights[parcel] <= left:
            break
    else:
        truck = len(room)
        room.append(100)
    room[truck] -= weights[parcel]
    trucks[parcel] = truck + 1
print(*trucks)
