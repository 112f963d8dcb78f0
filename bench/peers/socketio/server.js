// A Socket.IO server on which a channel is a room. WebSocket only, as the bench's clients use nothing else.
import { Server } from "socket.io"

const port = 9081
const io = new Server(port, { transports: ["websocket"], serveClient: false })

io.on("connection", (socket) => {
  socket.on("sub", (channel) => {
    socket.join(channel)
    socket.emit("subscribed", channel)
  })
  socket.on("pub", (channel, data) => {
    io.to(channel).emit("message", data)
  })
})
